"""``manage.py clear_book``: clear books offline, without a database."""

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from exchange.clearing import offline


class Command(BaseCommand):
    """Reads a book, or every ``*.json`` of a folder, and writes outcomes."""

    help = "Clear a book document, or every *.json of a folder, and write the outcome. Needs no database."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the paths."""
        parser.add_argument("book", type=Path, help="a book document, or a folder of them")
        parser.add_argument("--out", type=Path, required=True, help="the outcome file, or the folder of outcomes")
        parser.add_argument("--certificate", type=Path, help="also write the price vectors that prove the bound")
        parser.add_argument("--record", type=Path, help="also write rejected blocks, residuals and search figures")

    def handle(self, *args: object, **options: Path) -> None:
        """Clear what was named; exit 1 if any book was refused."""
        try:
            todo = offline.jobs(
                options["book"],
                outcome=options["out"],
                certificate=options["certificate"],
                record=options["record"],
            )
        except offline.NothingToClear as error:
            raise CommandError(str(error)) from error
        refused = 0
        for answer in offline.run(todo):
            if isinstance(answer, offline.Refused):
                refused += 1
                self.stderr.write(f"{answer.book}: {answer.reason}")
            else:
                self.stdout.write(f"{answer.book}: {_summary(answer)}")
        if refused:
            raise CommandError(f"{refused} of {len(todo)} books refused.")


def _summary(done: offline.Done) -> str:
    result = done.result
    marks = ["strict" if result.strict else f"{len(result.residuals)} residuals"]
    if result.degraded:
        marks.append("degraded")
    return f"welfare {result.outcome.welfare}, bound {result.outcome.bound}, {', '.join(marks)}"
