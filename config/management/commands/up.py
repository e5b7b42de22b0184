"""The whole exchange in the foreground; `config.up` does it, before Django is loaded."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config import up


class Command(BaseCommand):
    """Show up in the list of commands and explain the arguments."""

    help = "Run the exchange on this machine: embedded services, web server, worker and beat."

    def print_help(self, prog_name: str, subcommand: str) -> None:
        sys.stdout.write(up.parser().format_help())

    def run_from_argv(self, argv: list[str]) -> None:
        up.parser().parse_args(argv[2:])
        self.handle()

    def handle(self, *args: Any, **options: Any) -> None:
        raise CommandError("Start it as `python3 manage.py up`: it has to come before Django's settings.")
