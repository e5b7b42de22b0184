"""From a bare Python to the project's environment."""

import importlib.util
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config import bootstrap

pytestmark = pytest.mark.long

_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Move the bootstrap to a directory of its own, with lock files of one line."""
    environment = tmp_path / ".venv"
    places = {
        "ENVIRONMENT": environment,
        "_PYTHON": environment / "bin" / "python",
        "_UNFINISHED": environment / ".unfinished",
        "RUNTIME_LOCK": tmp_path / "requirements.lock",
        "TEST_LOCK": tmp_path / "requirements-test.lock",
    }
    for name, place in places.items():
        monkeypatch.setattr(bootstrap, name, place)
    places["RUNTIME_LOCK"].write_text("one==1\n")
    places["TEST_LOCK"].write_text("one==1\ntwo==2\n")
    return tmp_path


@pytest.fixture
def installed(project: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note which lock files are installed, without a network."""
    names: list[str] = []

    def install(lock: Path) -> None:
        names.append(lock.name)
        (project / ".venv" / ".unfinished").unlink()

    monkeypatch.setattr(bootstrap, "_install", install)
    return names


def test_an_environment_is_made_once_and_again_when_the_lock_changes(project: Path, installed: list[str]) -> None:
    bootstrap.ensure(with_tests=False)
    bootstrap.ensure(with_tests=False)
    assert installed == ["requirements.lock"]
    pip = [str(project / ".venv/bin/python"), "-m", "pip", "--version"]
    assert subprocess.run(pip, check=True, capture_output=True, text=True).stdout.startswith("pip ")

    (project / "requirements.lock").write_text("one==2\n")
    bootstrap.ensure(with_tests=False)
    assert installed == ["requirements.lock", "requirements.lock"]


def test_test_tools_come_with_the_tests_and_include_the_runtime(project: Path, installed: list[str]) -> None:
    bootstrap.ensure(with_tests=True)
    bootstrap.ensure(with_tests=False)
    assert installed == ["requirements-test.lock"]


def test_an_interrupted_installation_is_repaired_by_the_next_start(
    project: Path, installed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = bootstrap._install

    def interrupted(lock: Path) -> None:
        (project / ".venv" / "half-a-package").touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(bootstrap, "_install", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bootstrap.ensure(with_tests=False)
    monkeypatch.setattr(bootstrap, "_install", whole)
    bootstrap.ensure(with_tests=False)
    assert installed == ["requirements.lock"]
    assert not (project / ".venv" / "half-a-package").exists()


def test_an_environment_whose_python_has_gone_is_made_again(project: Path, installed: list[str]) -> None:
    bootstrap.ensure(with_tests=False)
    python = project / ".venv/bin/python"
    python.unlink()
    python.symlink_to(project / "nowhere")
    bootstrap.ensure(with_tests=False)
    assert installed == ["requirements.lock", "requirements.lock"]
    assert subprocess.run([python, "-c", ""], check=False).returncode == 0


def test_a_python_without_venv_is_told_what_to_install(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(bootstrap.BootstrapError, match=r"lacks its venv module.*apt install python3\.\d+-venv"):
        bootstrap.ensure(with_tests=False)
    assert not (project / ".venv").exists()


@pytest.mark.parametrize("version", [(3, 6, 9), (3, 10, 14), (3, 14, 0), (2, 7, 18)])
def test_a_python_that_is_too_old_or_too_new_is_refused_by_name(
    version: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "version_info", (*version, "final", 0))
    with pytest.raises(SystemExit, match=rf"This is Python {version[0]}\.{version[1]}; .* python3\.11"):
        runpy.run_path(str(_ROOT / "manage.py"), run_name="__main__")


def test_uv_is_told_what_pip_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    listing = (
        "global.find-links='one'\ninstall.extra-index-url='two\\nthree'\n:env:.find-links='four'\nfreeze.all='1'\n"
    )

    def run(*args: Any, **kwargs: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 0, stdout=listing)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.delenv("UV_FIND_LINKS", raising=False)
    monkeypatch.delenv("UV_INDEX", raising=False)
    environment = bootstrap._uv_environment()
    assert (environment["UV_FIND_LINKS"], environment["UV_INDEX"]) == ("four", "two three")
    monkeypatch.setenv("UV_INDEX", "own")
    assert bootstrap._uv_environment()["UV_INDEX"] == "own"


def test_inside_the_environment_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "ENVIRONMENT", Path(sys.prefix))
    monkeypatch.setattr(os, "execv", lambda *_arguments: pytest.fail("it started again"))
    bootstrap.enter(["manage.py", "up"])
