"""Accepting a quote: everything it makes, and everything that refuses it."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from accounts.foundation import clock, ids
from accounts.jobs import services as jobs
from accounts.organisations import services as organisations
from billing.contracts.models import Contract
from exchange.auctions import gates
from exchange.leases.models import Lease
from exchange.markets import services as markets
from exchange.markets.errors import MarketSuspended
from exchange.offers import services as offers
from exchange.offers.models import Offer
from exchange.orders import services as orders
from exchange.orders.models import Order
from exchange.purchases import services
from exchange.quotes import services as quotes
from exchange.quotes.errors import QuoteExpired, QuoteNotFound, QuoteNotOpen, QuoteSupplyGone, QuoteUnfunded
from exchange.quotes.models import Quote
from exchange.rounds.models import Round
from exchange.trades.models import Trade
from tests.exchange import cast
from tests.exchange.cast import GATE, HOUR, NOW, D, Story, micros, yuan
from tests.exchange.quotes.cast import ask, check_supply_adds_up, counted, sell_at_once, wanted


def test_an_accepted_quote_is_trades_contracts_leases_and_a_hold_of_its_price(story: Story) -> None:
    cheap = sell_at_once(story, story.huailai, story.huailai_cards, "9.50", quantity=3, first=8, last=10)
    dear = sell_at_once(story, story.zhangbei, story.zhangbei_cards, "11.00", reserve="10.00")
    quote = ask(story, story.beichen, 4)
    bought = services.accept(story.beichen, quote.id, now=NOW)
    assert bought.status == "accepted"
    assert cast.funds(story.beichen)[1] == quote.total_minor == yuan("84.57")
    trades = Trade.objects.order_by("price_micros")
    assert [(t.offer_id, t.quantity, t.unit_hours, t.price_micros, t.round_id, t.order_id) for t in trades] == [
        (cheap.id, 3, 6, micros("9.50"), None, None),
        (dear.id, 1, 2, micros("11.00"), None, None),
    ]
    assert {trade.quote_id for trade in trades} == {quote.id}
    contracts = Contract.objects.order_by("value_minor")
    assert [(c.value_minor, c.held_minor, c.hold_id) for c in contracts] == [
        (yuan("22.00"), yuan("23.55"), bought.hold_id),
        (yuan("57.00"), yuan("61.02"), bought.hold_id),
    ]
    assert sorted(
        (lease.provider_id, lease.quantity, lease.starts_at, lease.ends_at) for lease in Lease.objects.all()
    ) == sorted((offer.provider_id, units, D + 8 * HOUR, D + 10 * HOUR) for offer, units in ((cheap, 3), (dear, 1)))
    assert [Offer.objects.get(id=offer.id).status for offer in (cheap, dear)] == ["sold", "partly_sold"]
    assert counted(story.huailai_cards, 8) == (0, 0, 3)
    assert counted(story.zhangbei_cards, 8) == (15, 0, 1)
    check_supply_adds_up()


def test_two_offers_of_one_offering_at_two_prices_are_two_contracts(story: Story) -> None:
    sell_at_once(story, story.huailai, story.huailai_cards, "9.50", quantity=2)
    sell_at_once(story, story.huailai, story.huailai_cards, "9.90", quantity=4)
    services.accept(story.beichen, ask(story, story.beichen, 5).id, now=NOW)
    assert sorted(Contract.objects.values_list("value_minor", flat=True)) == [yuan("38.00"), yuan("59.40")]
    assert sorted(Lease.objects.values_list("quantity", flat=True)) == [2, 3]


def test_a_quote_is_accepted_once_and_in_time_by_the_databases_clock(story: Story) -> None:
    sell_at_once(story, story.huailai, story.huailai_cards, "9.50")
    first, second = ask(story, story.beichen, 1), ask(story, story.beichen, 1)
    with clock.travel(first.expires_at - timedelta(seconds=1)):
        # A caller whose own watch is slow or fast decides nothing.
        services.accept(story.beichen, first.id, now=NOW - HOUR)
    with clock.travel(second.expires_at), pytest.raises(QuoteExpired):
        services.accept(story.beichen, second.id, now=NOW)
    with pytest.raises(QuoteNotOpen, match="accepted"):
        services.accept(story.beichen, first.id, now=NOW)
    quotes.expire_due(now=second.expires_at)
    with pytest.raises(QuoteExpired):
        services.accept(story.beichen, second.id, now=NOW)
    assert Trade.objects.count() == 1
    check_supply_adds_up()


def test_a_refused_acceptance_leaves_the_quote_open(story: Story) -> None:
    sell_at_once(story, story.huailai, story.huailai_cards, "9.50")
    quote = ask(story, story.qinghe, 10, first=8, last=17)
    orders.place(story.qinghe, cast.hourly(story, "1.00", quantity_max=12), now=NOW)
    with pytest.raises(QuoteUnfunded, match="Top up"):
        services.accept(story.qinghe, quote.id, now=NOW)
    with pytest.raises(QuoteNotFound):
        services.accept(story.beichen, quote.id, now=NOW)
    orders.cancel(story.qinghe, Order.objects.get().id, now=NOW)
    services.accept(story.qinghe, quote.id, now=NOW)


def test_what_may_not_be_sold_any_more_is_not_bought(story: Story) -> None:
    sell_at_once(story, story.huailai, story.huailai_cards, "9.50")
    quote = ask(story, story.beichen, 1)
    markets.suspend(story.operator, story.market.id, reason="a test", now=NOW)
    with pytest.raises(MarketSuspended):
        services.accept(story.beichen, quote.id, now=NOW)
    markets.resume(story.operator, story.market.id, reason="a test", now=NOW)
    organisations.suspend(story.operator, story.huailai.organisation(), now=NOW)
    with pytest.raises(QuoteSupplyGone):
        services.accept(story.beichen, quote.id, now=NOW)
    assert not Trade.objects.exists()


def test_the_quoted_price_is_paid_whatever_the_offer_says_by_then(story: Story) -> None:
    offer = sell_at_once(story, story.huailai, story.huailai_cards, "9.50")
    quote = ask(story, story.beichen, 1)
    offers.amend(story.huailai, offer.id, reserve_micros=micros("20.00"), instant_price_micros=micros("30.00"), now=NOW)
    services.accept(story.beichen, quote.id, now=NOW)
    trade = Trade.objects.get()
    assert (trade.price_micros, trade.offer_reserve_micros) == (micros("9.50"), micros("8.00"))


def test_the_auction_and_an_acceptance_draw_on_one_offer_without_overselling(story: Story) -> None:
    offer = sell_at_once(story, story.huailai, story.huailai_cards, "9.50")
    orders.place(story.lanting, cast.hourly(story, "11.00", quantity_max=16, first=8, last=10), now=NOW)
    with clock.travel(GATE - timedelta(seconds=10)):
        quote = quotes.ask(story.beichen, wanted(story, 4), now=clock.now())
    with clock.travel(GATE):
        gates.close_due(now=GATE)
        # While the round has the rest of the offer in its book.
        services.accept(story.beichen, quote.id, now=GATE)
        while jobs.run_due(limit=10, now=GATE):
            pass
    assert Round.objects.get(scheduled_at=GATE).status == "published"
    assert sorted(Trade.objects.values_list("order_id", "quantity"), key=str) == sorted(
        [(Order.objects.get().id, 12), (None, 4)], key=str
    )
    assert counted(story.huailai_cards, 8) == (0, 0, 16)
    assert Offer.objects.get(id=offer.id).sold_unit_hours == 32
    check_supply_adds_up()


def test_the_database_lets_no_trade_differ_from_its_quote(story: Story) -> None:
    sell_at_once(story, story.huailai, story.huailai_cards, "9.50")
    quote = ask(story, story.beichen, 2)
    services.accept(story.beichen, quote.id, now=NOW)
    trade = Trade.objects.get()

    def again(**changes: object) -> None:
        values = {field.attname: getattr(trade, field.attname) for field in Trade._meta.concrete_fields}
        Trade.objects.create(**(values | {"id": ids.new_id()} | changes))

    with pytest.raises(IntegrityError, match="trade_once_per_quote"), transaction.atomic():
        again()
    with pytest.raises(DatabaseError, match="does not agree with its quote"), transaction.atomic():
        again(price_micros=trade.price_micros + 1)
    with pytest.raises(DatabaseError, match="does not agree with its quote"), transaction.atomic():
        again(starts_at=D + 9 * HOUR)
    with pytest.raises(DatabaseError, match="is not being settled"), transaction.atomic():
        again(quote_id=None)
    open_quote, order = ask(story, story.beichen, 2), orders.place(story.beichen, cast.hourly(story, "9.00"), now=NOW)
    with pytest.raises(DatabaseError, match="with a hold of its price"), transaction.atomic():
        Quote.objects.filter(id=open_quote.id).update(status="accepted", closed_at=NOW, hold_id=order.hold_id)
