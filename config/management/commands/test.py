"""The one command that checks everything: linters, types, contracts and every test."""

import sys
from argparse import REMAINDER
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config import checks


class Command(BaseCommand):
    """Run every check, or pytest alone with the arguments given."""

    help = "Check everything: linters, types, import contracts and all tests. Arguments go to pytest and run it alone."
    requires_system_checks: list[str] = []  # one of the steps does them

    def run_from_argv(self, argv: list[str]) -> None:
        # pytest's options are not Django's: only --help is answered here.
        arguments = argv[2:]
        if arguments in (["--help"], ["-h"]):
            self.print_help(argv[0], argv[1])
            return
        sys.exit(self._run(arguments))

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("pytest_arguments", nargs=REMAINDER, metavar="PYTEST-ARGUMENT")

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(self._run(options["pytest_arguments"]))

    def _run(self, arguments: list[str]) -> int:
        if arguments:
            return 0 if checks.run_openly(checks.test_step(arguments)).passed else 1
        results = checks.run_all(self._report)
        self.stdout.write("")
        for result in results:
            self.stdout.write(_line(result))
        failed = [result.name for result in results if not result.passed]
        self.stdout.write(f"FAILED: {', '.join(failed)}" if failed else "All checks passed.")
        return 1 if failed else 0

    def _report(self, result: checks.Result) -> None:
        self.stdout.write(_line(result))
        if not result.passed and result.output:
            self.stdout.write(result.output)
        self.stdout.flush()


def _line(result: checks.Result) -> str:
    return f"{'ok    ' if result.passed else 'FAILED'} {result.name:<18} {result.seconds:6.1f} s"
