"""The project's own quality checks, run as steps: what `manage.py test` does before and with pytest."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from config.bootstrap import ROOT

_PROGRAMS: Final = Path(sys.executable).parent
_WORKERS: Final = "2"

# A production environment with nothing real in it, for the checks that only then apply.
_PRODUCTION: Final = {
    "EXCHANGE_MODE": "production",
    "DATABASE_URL": "postgres://nobody@127.0.0.1/nothing",
    "REDIS_URL": "redis://127.0.0.1/0",
    "SECRET_KEY": "only-for-this-check-" + "0123456789abcdefghijklmnopqrstuvwxyz-ABCDEFGH",
    "FIELD_ENCRYPTION_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "ALLOWED_HOSTS": "exchange.example",
}
_SERVICES: Final = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "EXCHANGE_MODE")


@dataclass(frozen=True)
class Step:
    """One program that must succeed."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    without_services: bool = False


@dataclass(frozen=True)
class Result:
    """What came of a step."""

    name: str
    passed: bool
    seconds: float
    output: str


def static_steps() -> list[Step]:
    """Return the checks that read the code and run none of it, the slowest first."""
    return [
        Step("mypy", [_program("mypy")], without_services=True),
        Step("browser", [sys.executable, "-m", "tests.browser.chromium"]),
        Step("ruff check", [_program("ruff"), "check", "."]),
        Step("ruff format", [_program("ruff"), "format", "--check", "."]),
        Step("import contracts", [_program("lint-imports")]),
        Step("templates", [_program("djlint"), "--lint", "--quiet", "templates"]),
        Step("spelling", [_program("codespell"), *_text_directories()]),
        Step("dependencies", [_program("deptry"), "."]),
        Step("migrations", _manage("makemigrations", "--check", "--dry-run"), without_services=True),
        Step("deployment", _manage("check", "--deploy", "--fail-level", "WARNING"), environment=_PRODUCTION),
    ]


def test_step(arguments: Sequence[str]) -> Step:
    """Return the run of pytest: of everything, or of what the arguments say."""
    everything = ["-n", _WORKERS, "--dist", "worksteal", "--hypothesis-profile", "ci", "-q"]
    return Step("tests", [sys.executable, "-m", "pytest", *(arguments or everything)])


def run_all(report: Callable[[Result], None]) -> list[Result]:
    """Run the static checks two at a time, then the tests; every step runs even when one fails."""
    with ThreadPoolExecutor(max_workers=int(_WORKERS)) as pool:
        results = []
        for result in pool.map(run_quietly, static_steps()):
            report(result)
            results.append(result)
    results.append(run_openly(test_step(())))
    return results


def run_quietly(step: Step) -> Result:
    """Run a step and keep what it prints."""
    begun = time.monotonic()
    finished = subprocess.run(
        step.command,
        check=False,
        cwd=ROOT,
        env=_environment(step),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return Result(step.name, finished.returncode == 0, time.monotonic() - begun, finished.stdout.strip())


def run_openly(step: Step) -> Result:
    """Run a step that prints to this terminal as it goes."""
    begun = time.monotonic()
    finished = subprocess.run(step.command, check=False, cwd=ROOT, env=_environment(step))
    return Result(step.name, finished.returncode == 0, time.monotonic() - begun, "")


def _environment(step: Step) -> dict[str, str]:
    environment = dict(os.environ)
    # pytest configures Django itself, once there are services to configure it with.
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    if step.without_services:
        for name in _SERVICES:
            environment.pop(name, None)
    return environment | dict(step.environment)


def _program(name: str) -> str:
    return str(_PROGRAMS / name)


def _manage(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


def _text_directories() -> list[str]:
    names = ["config", "accounts", "catalog", "billing", "exchange", "templates", "tests", "docs", "README.md"]
    return [name for name in names if (ROOT / name).exists()]
