"""`manage.py export_journal`: the whole ledger as a journal for hledger or beancount."""

from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand

from accounts.actors.actor import Actor
from accounts.foundation import clock
from billing.exports import books
from billing.exports.journal import JournalFormat
from config import exporting

_ACTOR: Final = Actor.system("export")


class Command(BaseCommand):
    """Read in one snapshot, written as it is read; the file is there as a whole or not at all."""

    help = "Write the whole ledger as a journal that hledger or beancount checks (docs/reference/exports.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the format, the file and the demo."""
        parser.add_argument(
            "--format", choices=[*map(str, JournalFormat)], required=True, help="whose journal is written"
        )
        parser.add_argument(
            "--out", type=exporting.destination, required=True, metavar="FILE", help="where it is written"
        )
        exporting.add_demo(parser)

    def handle(self, *_args: object, **options: Any) -> None:
        """Write the journal; exit 1 when the file cannot be written."""
        if options["demo"]:
            exporting.simulate(self.stdout)
        with exporting.snapshot(), exporting.file_at(options["out"]) as out:
            today = clock.now().date()
            for piece in books.journal_pieces(_ACTOR, JournalFormat(options["format"]), today=today):
                out.write(piece.encode())
        self.stdout.write(f"Wrote the ledger as a journal for {options['format']} to {options['out']}.")
