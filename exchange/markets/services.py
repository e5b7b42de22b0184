"""Create, suspend and resume markets."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from exchange.markets import rules
from exchange.markets.errors import MarketExists, MarketRulesInvalid, MarketUnknown
from exchange.markets.models import Market
from exchange.markets.rules import MarketSpec, MarketStatus


@transaction.atomic
def create(actor: Actor, spec: MarketSpec, *, now: datetime) -> Market:
    """Open a market. Its rules do not change afterwards: other rules are another market.

    Raises MarketRulesInvalid naming each field that cannot be, MarketExists when the code is taken.
    """
    actor.require(Capability.OPERATE)
    problems = tuple(rules.market_problems(spec))
    if problems:
        raise MarketRulesInvalid("A market cannot have these rules.", problems)
    terms = {name: getattr(spec.terms, name) for name in spec.terms.__dataclass_fields__}
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
