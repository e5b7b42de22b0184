"""``manage.py import_orders``: place orders from a trace of GPU pods."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from accounts.foundation import clock
from exchange.imports import demand, desk
from exchange.imports.alibaba import Plan, parse_alibaba


class Command(BaseCommand):
    """Reads the file before anything is stored, and stores all of it or nothing. Limit prices are synthetic."""

    help = "Import orders from a trace of GPU pods (docs/reference/imports.md). Limit prices are drawn, not real."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the source and the file."""
        parser.add_argument("--source", choices=["alibaba"], required=True, help="whose form the file has")
        parser.add_argument("file", type=Path, metavar="FILE", help="CSV file of pods")
        parser.add_argument("--seed", type=desk.seed, default=1, help="of what is drawn (default: %(default)s)")
        parser.add_argument("--at-most", type=desk.count, help="thin the pods out evenly to so many")
        desk.add_options(parser)

    def handle(self, *args: object, **options: Any) -> None:
        """Import; exit 1 with the reasons when anything is wrong."""
        with desk.all_or_nothing():
            # Every order is placed now, so its first hour needs no notice after its arrival.
            plan = Plan(options["days"], options["seed"], notice_hours=0, at_most=options["at_most"])
            parsed = parse_alibaba(options["file"], plan)
            now = clock.now()
            actor = desk.operator()
            market = desk.market(actor, options["market"], now=now)
            starts_at = options["starts"] or desk.first_hour(market, now=now)
            loaded = demand.load_orders(
                parsed, market=market, actor=actor, now=now, starts_at=starts_at, rate=options["rate"]
            )
        self.stdout.write(desk.summary(loaded, f"orders (synthetic limits) from {parsed.rows} rows", "buyers"))
