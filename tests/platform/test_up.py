"""`manage.py up`: everything starts, everything stops, and nothing is left."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config import up as starting
from config.embedded import processes

pytestmark = pytest.mark.long

_ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 120  # on a busy machine

Up = Callable[..., "Running"]


class Running:
    """An `up` in a process of its own, and what it has printed."""

    def __init__(self, data: Path, environment: dict[str, str], *arguments: str) -> None:
        self.data = data
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--empty", "--data", str(data), *arguments],
            cwd=_ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def ready(self) -> list[str]:
        """Return the lines that say READY."""
        return [line for line in self.lines if line.startswith("READY ")]

    def wait_for_ready(self) -> str:
        """Return the address at which it serves."""
        started = processes.wait_until(
            lambda: bool(self.ready) or self.process.poll() is not None, seconds=_START_SECONDS
        )
        assert started, self.lines
        assert self.ready, self.lines
        return self.ready[0].removeprefix("READY ")

    def children(self) -> list[int]:
        """Return the processes that it has started, with theirs."""
        parents = {}
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
            except FileNotFoundError:
                continue
        found = [self.process.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found[1:]

    def end(self) -> int:
        """Wait for its end and return its exit code."""
        code = self.process.wait(timeout=_START_SECONDS)
        self._reader.join(timeout=10)
        return code


@pytest.fixture
def up(lasting_data: Path, bare_environment: dict[str, str]) -> Iterator[Up]:
    """Start `up` on data that earlier tests have left behind, however they ended it."""
    started: list[Running] = []

    def start(*arguments: str) -> Running:
        running = Running(lasting_data, bare_environment, *arguments)
        started.append(running)
        return running

    yield start
    for running in started:
        if running.process.poll() is None:
            running.process.terminate()
        running.end()


def _left(pids: list[int]) -> list[int]:
    processes.wait_until(lambda: not any(map(processes.is_alive, pids)), seconds=30)
    return [pid for pid in pids if processes.is_alive(pid)]


def test_it_starts_refuses_a_second_and_leaves_nothing_after_an_interrupt(up: Up) -> None:
    first = up()
    url = first.wait_for_ready()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
    with urllib.request.urlopen(f"{url}/readyz", timeout=30) as answer:
        assert json.load(answer)["status"] == "ready"

    second = up()
    assert second.end() == 1
    assert f"is in use by `manage.py up` (process {first.process.pid}) and serves {url}" in "\n".join(second.lines)

    children = first.children()
    assert len(children) > 6  # two services, web, worker, beat and theirs
    first.process.send_signal(signal.SIGINT)
    assert first.end() == 0
    assert _left(children) == []
    assert len(first.ready) == 1


def test_a_dead_worker_stops_the_others_and_is_named(up: Up) -> None:
    running = up()
    running.wait_for_ready()
    children = running.children()
    worker = next(pid for pid in children if b"\0worker\0" in Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(worker, signal.SIGKILL)
    assert running.end() == 1
    assert "worker ended with code -9" in "\n".join(running.lines)
    assert _left(children) == []


def test_nothing_is_left_when_it_is_killed(up: Up) -> None:
    running = up()
    running.wait_for_ready()
    children = running.children()
    running.process.kill()
    running.end()
    assert _left(children) == []


def test_a_port_that_is_taken_is_refused_when_it_was_asked_for(up: Up) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        running = up("--port", str(port))
        assert running.end() == 1
    assert f"Port {port} of 127.0.0.1 is taken" in "\n".join(running.lines)


def test_two_that_start_at_the_same_time_have_ports_of_their_own() -> None:
    with starting._listening(None) as first, starting._listening(None) as second:
        assert first.getsockname() != second.getsockname()


def test_a_database_that_dies_stops_everything(up: Up) -> None:
    running = up()
    running.wait_for_ready()
    children = running.children()
    state = json.loads((running.data / "services.json").read_text())
    os.kill(state["processes"]["postgres"], signal.SIGKILL)
    assert running.end() == 1
    assert "postgres ended" in "\n".join(running.lines)
    assert _left(children) == []
