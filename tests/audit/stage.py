"""Two databases with the story played in them, and something bought at once: one as it is, one without its guards.

In the second one anything can be written, as the owner could who has dropped a constraint: what the
database would have refused is there for the audit to find. Corruptions are never committed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Final

from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction

from accounts.actors.actor import Capability
from accounts.foundation import clock
from catalog.measures.interval import HOUR
from catalog.offerings.models import Offering
from catalog.offerings.needs import Needs
from config import roles
from config.audit.checks import ALL
from config.audit.invariants import Finding
from exchange.demo import story
from exchange.demo.cast import MARKET, acting_for
from exchange.markets import rules as market_rules
from exchange.markets.models import Market
from exchange.offers import services as offers
from exchange.offers.rules import OfferSpec, OfferTerms
from exchange.purchases import services as purchases
from exchange.quotes import services as quotes
from exchange.quotes.models import Quote
from exchange.quotes.rules import QuoteSpec
from tests import databases, environment

DAY: Final = date(2026, 11, 20)
INVARIANTS: Final = {invariant.code: invariant for invariant in ALL}


@contextmanager
def pointed_at(name: str) -> Iterator[None]:
    """Let the default connection lead to another database inside the block."""
    current = connections[DEFAULT_DB_ALIAS]
    before = current.settings_dict["NAME"]
    current.close()
    current.settings_dict["NAME"] = name
    try:
        yield
    finally:
        current.close()
        current.settings_dict["NAME"] = before


def with_the_story() -> str:
    """Make a database in which the story was played, and return its name."""
    name = _named("story")
    with pointed_at(name):
        databases.renew(name)
        buy_at_once(story.play(DAY))
    return name


def buy_at_once(told: story.Story) -> None:
    """After the story, sell at once: one quote is accepted, one is withdrawn, one is open."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(at) FROM accounts_event")
        (last,) = cursor.fetchone()
    with clock.travel(last):
        offering = Offering.objects.order_by("id")[0]
        seller = acting_for(offering.provider, Capability.LIST)
        market = Market.objects.get(code=MARKET)
        starts_at = market_rules.horizon(market.terms, last + HOUR).first_at
        terms = OfferTerms(4, starts_at, starts_at + 4 * HOUR, 8_000_000, 9_000_000)
        offers.place(seller, OfferSpec(market.id, offering.id, terms), now=last, lists_capacity=True)
        buyer = acting_for(told.cast.beichen, Capability.TRADE)

        def ask(quantity: int) -> Quote:
            spec = QuoteSpec(
                market_id=market.id,
                quantity=quantity,
                starts_at=starts_at,
                ends_at=starts_at + 2 * HOUR,
                needs=Needs(),
                budget_minor=100_000,
            )
            return quotes.ask(buyer, spec, now=last)

        purchases.accept(buyer, ask(1).id, now=last)
        quotes.withdraw(buyer, ask(2).id, now=last)
        ask(2)


def without_guards(played: str) -> str:
    """Make a copy of the played database without a trigger, a constraint or a unique index; return its name."""
    name = _named("unguarded")
    with pointed_at(name):
        databases.renew(name, source=played)
        _drop_guards()
    return name


@contextmanager
def as_owner_for_once() -> Iterator[None]:
    """Be the owner, in a transaction that is rolled back."""
    with roles.as_owner(), transaction.atomic():
        yield
        transaction.set_rollback(True)


def finding(code: str) -> Finding:
    """Return what the check of one invariant sees now."""
    with connection.cursor() as cursor:
        return INVARIANTS[code].check(cursor)


def execute(*statements: str) -> None:
    """Run statements that have to change something."""
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
            assert cursor.rowcount != 0, f"changed nothing: {statement}"


def _named(what: str) -> str:
    return f"test_{environment.run_id()}_{environment.worker_id()}_{what}"


def _drop_guards() -> None:
    with roles.as_owner(), transaction.atomic(), connection.cursor() as cursor:
        # Primary keys stay: queries group by them. A foreign key goes with the unique constraint it points at.
        cursor.execute(
            """
            SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass) FROM pg_trigger
            WHERE NOT tgisinternal AND tgparentid = 0
            UNION ALL
            SELECT format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I CASCADE', conrelid::regclass, conname)
            FROM pg_constraint
            WHERE contype IN ('c', 'f', 'u', 'x') AND conislocal AND conparentid = 0
              AND connamespace = 'public'::regnamespace AND conrelid <> 0
            UNION ALL
            SELECT format('DROP INDEX %s', indexrelid::regclass) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
            WHERE indisunique AND c.relnamespace = 'public'::regnamespace
              AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)
            """
        )
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)
