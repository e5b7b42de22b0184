"""Several processes in the foreground: prefixed logs, and one ending ends them all."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import IO, Final, NoReturn

from config.embedded import processes

_POLL_SECONDS: Final = 0.2
_STOP_SECONDS: Final = 10
_COLUMN: Final = 6


class ProcessEnded(Exception):
    """A process that should run for ever has ended."""

    def __init__(self, name: str, code: int | None) -> None:
        ending = "" if code is None else f" with code {code}"
        super().__init__(f"{name} ended{ending}; stopping the others.")


class Supervisor:
    """Starts processes, prefixes what they print with their names and stops them together."""

    def __init__(self, watched: Mapping[str, int]) -> None:
        """Watch also the processes that others started: name -> process id."""
        self._watched = dict(watched)
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._pumps: list[threading.Thread] = []
        self._writing = threading.Lock()

    def start(
        self, name: str, command: Sequence[str], *, environment: Mapping[str, str], inherited: Sequence[int] = ()
    ) -> None:
        """Start a child process whose lines appear on standard output after its name.

        `inherited` are the open files that it finds under the same numbers.
        """
        reading, writing = os.pipe()
        with os.fdopen(writing, "wb") as output:
            child = processes.spawn(
                command, output=output, environment=dict(os.environ) | dict(environment), inherited=inherited
            )
        self._children[name] = child
        pump = threading.Thread(target=self._pump, args=(name, os.fdopen(reading, "rb")), daemon=True)
        pump.start()
        self._pumps.append(pump)

    def check(self) -> None:
        """Raise ProcessEnded when one of them has ended."""
        for name, child in self._children.items():
            if child.poll() is not None:
                raise ProcessEnded(name, child.returncode)
        for name, pid in self._watched.items():
            if not processes.is_alive(pid):
                raise ProcessEnded(name, None)

    def watch(self) -> NoReturn:
        """Wait for ever; raises ProcessEnded when one of them ends."""
        while True:
            self.check()
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """End all children, all at once, and kill what is left after ten seconds."""
        for child in self._children.values():
            processes.ask_to_end(child, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        for child in self._children.values():
            processes.finish(child, seconds=max(0.0, deadline - time.monotonic()))
        for pump in self._pumps:
            pump.join(timeout=1)

    def _pump(self, name: str, lines: IO[bytes]) -> None:
        prefix = f"{name:<{_COLUMN}} | "
        with lines:
            for line in lines:
                self.say(prefix + line.decode(errors="replace").rstrip("\n"))

    def say(self, line: str) -> None:
        """Write one whole line to standard output."""
        with self._writing:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
