"""What the import commands share: their options, the operator on duty, and how a refusal is told."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from django.core.management.base import CommandError
from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.foundation import strict
from accounts.foundation.errors import DomainError
from accounts.organisations import queries as organisations
from exchange.imports import market as usd_market
from exchange.imports.loading import SYSTEM, Loaded
from exchange.markets import queries as markets
from exchange.markets import rules as market_rules
from exchange.markets.models import Market

Value = TypeVar("Value")


def add_options(parser: ArgumentParser) -> None:
    """Declare where the import goes and from when on."""
    parser.add_argument(
        "--market", default=usd_market.CODE, help="code of the market (default: %(default)s, opened if it is missing)"
    )
    parser.add_argument("--rate", type=rate, help="how much of the market's currency one USD is, such as 7.10")
    parser.add_argument(
        "--starts", type=instant, help="first hour of the window (default: the first that the next gate delivers)"
    )
    parser.add_argument("--days", type=days, default=3, help="length of the window in days (default: %(default)s)")


@contextmanager
def all_or_nothing() -> Iterator[None]:
    """One transaction; a refusal undoes it and is the command's error: standard error, exit status 1."""
    try:
        with transaction.atomic():
            yield
    except DomainError as refusal:
        raise CommandError(refusal.detail) from refusal


def operator() -> Actor:
    """Return the import acting for the operator. Raises NotFound before there is one."""
    capabilities = frozenset({Capability.OPERATE})
    return Actor(organisations.operator().id, None, None, capabilities, SYSTEM.label)


def market(actor: Actor, code: str, *, now: datetime) -> Market:
    """Return the market of a code; the one for imports is opened when it is missing. Raises MarketUnknown."""
    return usd_market.opened(actor, now=now) if code == usd_market.CODE else markets.by_code(code)


def first_hour(market: Market, *, now: datetime) -> datetime:
    """Return the first instant that the market's next gate can deliver."""
    return market_rules.horizon(market.terms, market_rules.next_gate(market.terms, now)).first_at


def summary(loaded: Loaded, what: str, whose: str) -> str:
    """Return the lines that say what happened."""
    lines = [f"{loaded.entered} {what} of {loaded.organisations} {whose}"]
    lines += [f"left out, {reason}: {count}" for reason, count in loaded.left_out.items()]
    return "\n".join(lines)


def rate(text: str) -> Decimal:
    """Read a rate of exchange."""
    return _read(lambda: strict.decimal(text, max_digits=12, decimal_places=6, minimum=Decimal("0.000001")))


def days(text: str) -> int:
    """Read a number of days."""
    return _read(lambda: strict.integer_text(text, minimum=1, maximum=60))


def seed(text: str) -> int:
    """Read a seed."""
    return _read(lambda: strict.integer_text(text, minimum=0, maximum=2**63 - 1))


def count(text: str) -> int:
    """Read a number of orders."""
    return _read(lambda: strict.integer_text(text, minimum=1, maximum=1_000_000))


def instant(text: str) -> datetime:
    """Read a time with an offset."""
    return _read(lambda: strict.instant(text))


def _read(reader: Callable[[], Value]) -> Value:
    try:
        return reader()
    except strict.Mismatch as mismatch:
        raise ArgumentTypeError(str(mismatch)) from mismatch
