"""``manage.py import_offers``: list and offer machines from files of marketplace asks."""

from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from accounts.foundation import clock
from exchange.imports import desk, supply
from exchange.imports.vast import parse_vast


class Command(BaseCommand):
    """Reads every file before anything is stored, and stores all of it or nothing."""

    help = "Import offers from files of marketplace asks (docs/reference/imports.md). All or nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the source and the files."""
        parser.add_argument("--source", choices=["vast"], required=True, help="whose form the files have")
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="CSV files, one a day")
        desk.add_options(parser)

    def handle(self, *args: object, **options: Any) -> None:
        """Import; exit 1 with the reasons when anything is wrong."""
        with desk.all_or_nothing():
            parsed = parse_vast(options["files"])
            now = clock.now()
            actor = desk.operator()
            market = desk.market(actor, options["market"], now=now)
            starts_at = options["starts"] or desk.first_hour(market, now=now)
            loaded = supply.load_offers(
                parsed,
                market=market,
                actor=actor,
                now=now,
                starts_at=starts_at,
                ends_at=starts_at + timedelta(days=options["days"]),
                rate=options["rate"],
            )
        self.stdout.write(desk.summary(loaded, f"offers from {parsed.rows} rows", "providers"))
