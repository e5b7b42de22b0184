"""`manage.py export_focus`: a buyer's costs of a billing month in the FOCUS format."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any, Final
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from accounts.foundation import ids
from accounts.foundation.errors import DomainError
from accounts.organisations.models import Organisation
from billing.exports import costs, focus, tables
from billing.exports.costs import Month
from billing.exports.focus import FocusVersion
from config import exporting
from exchange.demo import months

_PERIOD: Final = re.compile(r"(20[2-9][0-9])-(0[1-9]|1[0-2])", re.ASCII)


def _period(text: str) -> Month:
    match = _PERIOD.fullmatch(text)
    if match is None:
        raise ArgumentTypeError(f"expected a month such as 2026-04, got {text[:40]!r}")
    return Month(int(match[1]), int(match[2]))


class Command(BaseCommand):
    """A row for each invoice line and day, and the taxes; the rows of an invoice sum to its total."""

    help = "Write a buyer's costs of a billing month in the FOCUS format (docs/reference/exports.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare whose costs of which month, the edition, the file and the demo."""
        parser.add_argument("--buyer", metavar="ID", help="the organisation, org_...; with --demo it may be left out")
        parser.add_argument("--period", type=_period, metavar="YYYY-MM", help="the billing month, in Asia/Shanghai")
        parser.add_argument("--focus-version", choices=[*map(str, FocusVersion)], default=FocusVersion.V1_2)
        parser.add_argument(
            "--out", type=exporting.destination, required=True, metavar="FILE", help="where it is written"
        )
        exporting.add_demo(parser)

    def handle(self, *_args: object, **options: Any) -> None:
        """Write the file and print the sum of every invoice in it; exit 1 when there is no such buyer."""
        buyer, month = self._asked(options)
        columns = focus.columns(FocusVersion(options["focus_version"]))
        with exporting.snapshot(), exporting.file_at(options["out"]) as out:
            invoices = list(costs.invoices_of(buyer, month))
            for piece in tables.csv_pieces(columns, costs.rows(buyer, month)):
                out.write(piece)
        period = f"{month.year}-{month.month:02d}"
        self.stdout.write(f"Wrote the costs of {buyer.name} in {period} to {options['out']}:")
        for invoice in invoices:
            total = focus.in_currency(invoice.total_minor, invoice.currency)
            self.stdout.write(f"  {invoice.number}  {total} {invoice.currency}")
        if not invoices:
            self.stdout.write("  no invoice")

    def _asked(self, options: dict[str, Any]) -> tuple[Organisation, Month]:
        month, buyer_id = options["period"], self._buyer_id(options["buyer"])
        if options["demo"]:
            cast = exporting.simulate(self.stdout)
            month = month or Month(months.FIRST.year, months.FIRST.month)
            if buyer_id is None:
                return cast.beichen, month
        elif buyer_id is None or month is None:
            raise CommandError("Whose costs of which month? --buyer ID and --period YYYY-MM are needed.")
        buyer = Organisation.objects.filter(id=buyer_id, can_buy=True).first()
        if buyer is None:
            raise CommandError(f"--buyer: there is no buyer {options['buyer']}.")
        return buyer, month

    @staticmethod
    def _buyer_id(spelled: str | None) -> UUID | None:
        try:
            return None if spelled is None else ids.parse("org", spelled)
        except DomainError as refusal:
            raise CommandError(f"--buyer: {refusal.detail}") from refusal
