"""`manage.py open_market`: a market, with rules that do not change afterwards."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import date
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from accounts.actors.actor import Actor
from accounts.foundation import clock
from accounts.foundation.errors import DomainError
from accounts.management.commands.create_operator import text
from catalog.measures.price import parse_price_micros
from exchange.markets import services
from exchange.markets.errors import MarketRulesInvalid
from exchange.markets.rules import MarketSpec, MarketTerms

_SYSTEM: Final = Actor.system("open_market")
_DAY: Final = 24 * 3600


class Command(BaseCommand):
    """What `POST /v1/markets` does, for the first day of an exchange. Without options: a daily market, gate at noon."""

    help = "Open a market for compute by the hour. Times are in seconds; prices are for one unit and hour."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the market's names, what is traded in it, and its rules."""
        parser.add_argument("--code", required=True, help="small letters, digits and hyphens")
        parser.add_argument("--name", required=True, type=text(120), help="as the pages show it")
        for name, default, meaning in (
            ("--service-class", "ai_acceleration", "what is traded"),
            ("--unit", "card_hours", "the unit that is traded"),
            ("--currency", "CNY", "of its prices"),
            ("--timezone", "Asia/Shanghai", "whose midnight the hours and gates are counted from"),
        ):
            parser.add_argument(name, default=default, help=f"{meaning} (default: %(default)s)")
        for name, price, meaning in (
            ("--tick", "0.01", "the step of prices"),
            ("--lowest", "0.01", "the lowest price"),
            ("--highest", "1000", "the highest price"),
        ):
            parser.add_argument(name, type=_micros, default=price, help=f"{meaning} (default: %(default)s)")
        parser.add_argument(
            "--collar-percent",
            type=int,
            help="how far prices may be from what a kind was last traded at (default: anywhere between the two)",
        )
        for name, number, meaning in (
            ("--gate-every", _DAY, "seconds between two gates"),
            ("--gate-offset", _DAY // 2, "seconds from midnight to the first gate"),
            ("--no-cancel", 600, "seconds before a gate in which nothing may be withdrawn"),
            ("--lead", 3600, "seconds from a gate to the first hour that it delivers"),
            ("--horizon", 48, "hours after a gate that it delivers"),
        ):
            parser.add_argument(name, type=int, default=number, help=f"{meaning} (default: %(default)s)")

    def handle(self, *_args: object, **options: Any) -> None:
        """Open it; exit 1 with every reason when it cannot be."""
        terms = MarketTerms(
            currency=options["currency"],
            timezone=options["timezone"],
            epoch=date(2026, 1, 1),
            grid_slots=1,
            lot_units=1,
            tick_micros=options["tick"],
            collar_min_micros=options["lowest"],
            collar_max_micros=options["highest"],
            collar_percent=options["collar_percent"],
            gate_interval_seconds=options["gate_every"],
            gate_offset_seconds=options["gate_offset"],
            no_cancel_seconds=options["no_cancel"],
            lead_seconds=options["lead"],
            horizon_hours=options["horizon"],
        )
        spec = MarketSpec(options["code"], options["name"], options["service_class"], options["unit"], terms)
        try:
            market = services.create(_SYSTEM, spec, now=clock.now())
        except MarketRulesInvalid as refusal:
            raise CommandError("\n".join(f"{each.pointer}: {each.detail}" for each in refusal.problems)) from refusal
        except DomainError as refusal:
            raise CommandError(refusal.detail) from refusal
        self.stdout.write(f"{market.name} ({market.code}) is open.")


def _micros(price: str) -> int:
    try:
        return parse_price_micros(price)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error
