"""Create, suspend and resume markets."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from exchange.markets import calendar as calendars
from exchange.markets import rules
from exchange.markets.calendar import Calendar
from exchange.markets.errors import CalendarInvalid, MarketExists, MarketRulesInvalid, MarketUnknown
from exchange.markets.models import Market
from exchange.markets.rules import MarketSpec, MarketStatus


@transaction.atomic
def create(actor: Actor, spec: MarketSpec, *, now: datetime) -> Market:
    """Open a market. Its rules do not change afterwards, but for its calendar: other rules are another market.

    Raises MarketRulesInvalid naming each field that cannot be, MarketExists when the code is taken.
    """
    actor.require(Capability.OPERATE)
    problems = tuple(rules.market_problems(spec))
    if problems:
        raise MarketRulesInvalid("A market cannot have these rules.", problems)
    terms = {name: getattr(spec.terms, name) for name in spec.terms.__dataclass_fields__ if name != "calendars"}
    market, made = Market.objects.get_or_create(
        code=spec.code,
        defaults={
            "name": spec.name,
            "name_zh": spec.name_zh,
            "service_class": spec.service_class,
            "unit": spec.unit,
            "rules_version": rules.RULES_VERSION,
            "status": MarketStatus.OPEN,
            "created_at": now,
            **terms,
        },
    )
    if not made:
        raise MarketExists(spec.code)
    audit.record(
        actor,
        "market.create",
        "market",
        market.id,
        None,
        {"code": market.code},
        now=now,
    )
    events.emit("market.opened", "market", market.id, None, {"market": market.code}, now=now)
    return market


@transaction.atomic
def announce(actor: Actor, market_id: UUID, calendar: Calendar, *, now: datetime) -> Market:
    """Let a market's gates stand otherwise from an instant on; rounds that are open already keep theirs.

    Raises MarketUnknown, CalendarInvalid naming each field that cannot be.
    """
    actor.require(Capability.OPERATE)
    market = Market.objects.select_for_update().filter(id=market_id).first()
    if market is None:
        raise MarketUnknown
    # Rounds are made one gate ahead of their time, by whoever needs one: the two coming gates may be open.
    second = rules.next_gate(market.terms, rules.next_gate(market.terms, now))
    # Rounds are the room above; they are read through the market's reverse relation.
    opened = market.rounds.order_by("-scheduled_at").values_list("scheduled_at", flat=True).first()
    earliest = max(instant for instant in (second, opened) if instant is not None) + timedelta(microseconds=1)
    if market.terms.calendars:
        earliest = max(earliest, _in_force_from(market.terms.calendars[-1]) + timedelta(microseconds=1))
    problems = tuple(calendars.problems(calendar, earliest=earliest))
    if problems:
        raise CalendarInvalid("The market cannot have this calendar.", problems)
    document = calendar.to_document()
    market.calendars = [*market.calendars, document]
    market.save(update_fields=["calendars"])
    audit.record(actor, "market.announce_calendar", "market", market.id, None, document, now=now)
    events.emit("market.calendar_announced", "market", market.id, None, {"market": market.code, **document}, now=now)
    return market


def _in_force_from(calendar: Calendar) -> datetime:
    assert calendar.effective_from is not None, "announced"
    return calendar.effective_from


@transaction.atomic
def suspend(actor: Actor, market_id: UUID, *, reason: str, now: datetime) -> Market:
    """Let a market take no more offers and orders; what is open stays as it is. Raises MarketMoveRefused."""
    return _move(actor, market_id, MarketStatus.SUSPENDED, reason=reason, now=now)


@transaction.atomic
def resume(actor: Actor, market_id: UUID, *, reason: str, now: datetime) -> Market:
    """Let a suspended market take offers and orders again. Raises MarketMoveRefused."""
    return _move(actor, market_id, MarketStatus.OPEN, reason=reason, now=now)


def _move(actor: Actor, market_id: UUID, target: MarketStatus, *, reason: str, now: datetime) -> Market:
    actor.require(Capability.OPERATE)
    market = Market.objects.select_for_update().filter(id=market_id).first()
    if market is None:
        raise MarketUnknown
    before = market.status
    rules.check_move(before, target)
    market.status = target
    market.save(update_fields=["status"])
    audit.record(
        actor,
        f"market.{target}",
        "market",
        market.id,
        {"status": before},
        {"status": target, "reason": reason},
        now=now,
    )
    events.emit(
        "market.suspended" if target is MarketStatus.SUSPENDED else "market.resumed",
        "market",
        market.id,
        None,
        {"market": market.code, "reason": reason},
        now=now,
    )
    return market
