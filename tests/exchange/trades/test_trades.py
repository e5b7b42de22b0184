"""Trades: what the database refuses, and who sees which side."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.utils import ProgrammingError

from accounts.actors.actor import Capability
from accounts.foundation import ids
from accounts.organisations.models import Organisation
from exchange.trades.models import Trade
from tests.catalog.cast import acting_for
from tests.exchange.cast import GATE, HOUR, Story, viewer
from tests.exchange.leases.delivery import cleared

Call = Callable[..., Any]


def copy_of(trade: Trade, **changes: Any) -> Trade:
    """Return an unsaved trade like another one, for another hour."""
    fields = {field.attname: getattr(trade, field.attname) for field in Trade._meta.concrete_fields}
    return Trade(**{**fields, "id": ids.new_id(), "starts_at": trade.starts_at + HOUR, **changes})


def test_a_published_round_takes_no_further_trade(story: Story) -> None:
    cleared(story)
    trade = Trade.objects.first()
    assert trade is not None
    with pytest.raises(IntegrityError, match="not being settled"), transaction.atomic():
        copy_of(trade, unit_hours=trade.unit_hours - trade.quantity).save(force_insert=True)


def test_trades_are_never_changed(story: Story) -> None:
    cleared(story)
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        Trade.objects.update(price_micros=1)
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        Trade.objects.all().delete()


def test_nobody_changes_a_trade(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = 'exchange_trade'::regclass AND NOT tgisinternal")
        triggers = {name for (name,) in cursor.fetchall()}
    assert triggers >= {"exchange_trade_no_change", "exchange_trade_no_truncate", "exchange_trade_agrees"}


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"price_micros": 7_000_000}, "trade_pays_the_reserve"),
        ({"price_micros": 99_000_000, "order_kind": "hourly"}, "trade_within_the_limit"),
        ({"quantity": 0}, "trade_moves_something"),
        ({"order_kind": "option"}, "trade_order_kind_is_known"),
    ],
)
def test_a_trade_outside_of_its_limits_has_no_row(story: Story, change: dict[str, Any], constraint: str) -> None:
    cleared(story)
    (text,) = [one for one in Trade._meta.constraints if one.name == constraint]
    trade = Trade.objects.order_by("order__seq", "starts_at").first()
    assert trade is not None
    with pytest.raises(ValidationError):
        text.validate(Trade, copy_of(trade, **change))
    text.validate(Trade, trade)


def test_each_side_sees_its_own_order_or_offer_and_strangers_nothing(call: Call, story: Story) -> None:
    delivery = cleared(story)
    trade = Trade.objects.filter(buyer_id=story.beichen.organisation()).order_by("starts_at")[0]
    assert trade.order_id is not None
    address = f"/v1/trades/{ids.spell('trd', trade.id)}"
    buyer = call(story.beichen, "get", address).json()
    assert (buyer["order"], buyer["offer"]) == (ids.spell("ord", trade.order_id), None)
    assert (buyer["quantity"], buyer["unit_hours"], buyer["price"]) == ("16", "128", "9.000000")
    seller = viewer(Organisation.objects.get(id=story.huailai.organisation()))
    sold = call(seller, "get", address).json()
    assert (sold["order"], sold["offer"]) == (None, ids.spell("off", trade.offer_id))
    assert call(story.lanting, "get", address).status_code == 404
    assert call(None, "get", address).status_code == 401
    desk = acting_for(Organisation.objects.get(can_operate=True), frozenset({Capability.SUPPORT}))
    assert len(call(desk, "get", "/v1/trades").json()["data"]) == Trade.objects.count()
    # A provider does not learn which of its sales belong to one order.
    by_order = call(delivery.huailai_agent, "get", "/v1/trades", order=ids.spell("ord", trade.order_id))
    assert by_order.json()["data"] == []
    mine = call(story.beichen, "get", "/v1/trades", order=ids.spell("ord", trade.order_id)).json()["data"]
    assert len(mine) == 3
    assert trade.created_at == GATE
