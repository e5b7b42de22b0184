"""`manage.py simulate`: run real offers and orders through the whole exchange on a virtual clock."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.foundation.errors import DomainError
from config import throwaway
from config.audit.checks import violated
from exchange.imports import desk
from exchange.imports.alibaba import Plan, parse_alibaba
from exchange.imports.vast import parse_vast
from exchange.simulation import report
from exchange.simulation.run import Simulation


class Command(BaseCommand):
    """Every run starts with an empty database of its own and leaves it to be looked at and audited."""

    help = "Simulate a market from asks and pods in a database of its own under --data (docs/reference/simulate.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what goes in and where the report goes."""
        parser.add_argument("--offers", nargs="+", type=Path, required=True, metavar="FILE", help="asks, a file a day")
        parser.add_argument("--orders", type=Path, required=True, metavar="FILE", help="pods of a cluster trace")
        parser.add_argument("--days", type=desk.days, default=3, help="days that are delivered (default: %(default)s)")
        parser.add_argument("--seed", type=desk.seed, default=1, help="seed of everything drawn (default: %(default)s)")
        parser.add_argument(
            "--at-most", type=desk.count, default=600, metavar="N", help="orders, thinned evenly (default: %(default)s)"
        )
        parser.add_argument("--report", type=Path, metavar="FILE", help="where the figures are written as JSON")

    def handle(self, *_args: object, **options: Any) -> None:
        """Simulate, print the table, write the report; exit 1 when an invariant does not hold."""
        try:
            offers = parse_vast(options["offers"])
            plan = Plan(days=options["days"], seed=options["seed"], at_most=options["at_most"])
            orders = parse_alibaba(options["orders"], plan)
            throwaway.start_over()
            simulation = Simulation(offers, orders, days=options["days"], seed=options["seed"])
            market = simulation.run()
        except DomainError as refusal:
            raise CommandError(refusal.detail) from refusal
        figures = report.figures(simulation, market, violated=violated())
        for line in report.table(figures):
            self.stdout.write(line)
        if options["report"]:
            options["report"].write_text(report.spelled(figures), encoding="utf-8")
        if figures["violations"]:
            raise CommandError(f"{figures['violations']} invariants do not hold; see manage.py audit.", returncode=1)
