"""``manage.py verify_outcome``: check the public documents of a round, without a database."""

from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from exchange.clearing import checking
from exchange.clearing.checking import Findings
from exchange.clearing.errors import shorten
from exchange.clearing.violations import Violation

SHOWN: Final = 5  # violations of one code; all are counted
_SENTENCE: Final = 300  # characters of a message: a hostile document may hold long names


class Command(BaseCommand):
    """Reads public documents alone; exit 1 when a hard rule is broken or a claim is not proven."""

    help = "Check an outcome, and the proof of its bound, against its book, in integers. Needs no database."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the documents."""
        parser.add_argument("book", type=Path, help="the book document")
        parser.add_argument("outcome", type=Path, help="the outcome document")
        parser.add_argument("--certificate", type=Path, help="also check the bound by these price vectors")
        parser.add_argument("--strict", action="store_true", help="fail if a strict rule is broken, too")

    def handle(self, *args: object, **options: Any) -> None:
        """Print what was found; exit 1 when the outcome must not stand."""
        proof = options["certificate"]
        try:
            found = checking.check(
                options["book"].read_bytes(), options["outcome"].read_bytes(), proof.read_bytes() if proof else None
            )
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}.") from error
        except checking.Unreadable as error:
            raise CommandError(f"There is nothing to check: {shorten_text(str(error))}") from error
        for line in _lines(found):
            self.stdout.write(line)
        if not found.is_legal:
            raise CommandError("The outcome does not stand.")
        if options["strict"] and found.report.strict:
            raise CommandError("The outcome is legal, but not strict.")


def shorten_text(text: str) -> str:
    """Return a message as a terminal may show it: one line of a bounded length."""
    printable = "".join(character if character.isprintable() else "?" for character in text)
    return printable if len(printable) <= _SENTENCE else printable[: _SENTENCE - 1] + "…"


def _lines(found: Findings) -> Iterator[str]:
    yield f"book      SHA-256 {found.book_digest}"
    if found.outcome_digest:
        yield f"outcome   SHA-256 {found.outcome_digest}"
    yield from _rules("hard", found.report.hard)
    if found.welfare is not None:
        yield from _rules("strict", found.report.strict)
        yield f"welfare   {found.welfare}"
        yield f"bound     {_bound(found)}"
    for vector in found.vectors:
        claimed = "" if vector.claimed is None else f", claims {vector.claimed}"
        yield f"          {shorten(vector.name)[1:-1]} proves {vector.proven}{claimed}"
    for fault in found.certificate_faults:
        yield f"CERTIFICATE: {shorten_text(fault)}"
    for block in found.report.rejected_blocks:
        yield (
            f"left out  block {shorten_text(block.order)} would have gained {block.surplus} a lot "
            f"from slot {block.start} in {shorten_text(block.cell)}"
        )


def _bound(found: Findings) -> str:
    claimed = "none claimed" if found.bound is None else f"{found.bound} claimed"
    if found.proven_bound is None:
        return f"{claimed}, not checked: no certificate" if found.bound is not None else claimed
    return f"{claimed}, {found.proven_bound} proven by the certificate"


def _rules(kind: str, violations: Sequence[Violation]) -> Iterator[str]:
    by_code: dict[str, list[str]] = defaultdict(list)
    for violation in violations:
        by_code[violation.code.value].append(violation.message)
    yield f"{kind:<9} " + (
        ", ".join(f"{code} {len(found)}" for code, found in by_code.items()) or f"every {kind} rule is met"
    )
    for code, found in by_code.items():
        for message in found[:SHOWN]:
            yield f"          {code}: {shorten_text(message)}"
        if len(found) > SHOWN:
            yield f"          {code}: and {len(found) - SHOWN} more"
