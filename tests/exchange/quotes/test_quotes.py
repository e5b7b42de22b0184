"""Asking for firm quotes, what they hold, and how they end without being accepted."""

import json
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from accounts.actors.actor import Actor
from accounts.actors.errors import NotAllowed
from accounts.audit.models import AuditRecord
from accounts.events.models import Event
from accounts.foundation import clock
from accounts.organisations import services as organisations
from catalog.offerings import services as offerings
from catalog.offerings.needs import Needs
from exchange.auctions import gates
from exchange.markets import services as markets
from exchange.markets.errors import MarketSuspended
from exchange.offers import gate as offer_gate
from exchange.offers import services as offers
from exchange.offers.errors import OfferInvalid, OfferPartlySold, OfferQuoted
from exchange.offers.models import Offer
from exchange.offers.rules import OfferSpec, OfferTerms
from exchange.orders.errors import BuyerNotActive, NeedsUnsatisfiable
from exchange.purchases import services as purchases
from exchange.quotes import queries, services
from exchange.quotes.errors import (
    InstantSupplyShort,
    QuoteExpired,
    QuoteInvalid,
    QuoteNotFound,
    QuoteNotOpen,
    QuoteOverBudget,
    QuotesExhausted,
    QuoteUnfunded,
)
from exchange.quotes.models import Quote
from exchange.rounds.models import RoundSnapshot
from tests.catalog import cast as catalog_cast
from tests.exchange import cast
from tests.exchange.cast import GATE, HOUR, NOW, D, Story, micros, viewer, yuan
from tests.exchange.quotes.cast import ask, check_supply_adds_up, counted, lines, sell_at_once, wanted

VALID = timedelta(seconds=120)


def test_a_quote_holds_the_cheapest_units_at_a_firm_all_in_price(story: Story) -> None:
    sell_at_once(story, story.zhangbei, story.zhangbei_cards, "11.00", reserve="10.00")
    sell_at_once(story, story.huailai, story.huailai_cards, "9.50", quantity=3)
    quote = ask(story, story.beichen, 4)
    assert lines(quote) == [("Huailai Compute", 8, 10, 3), ("Zhangbei Green DC", 8, 10, 1)]
    # 3 x 2 x 9.50 = 57.00 with 0.57 fee and 3.45 VAT (3.4542); 1 x 2 x 11.00 = 22.00 with 0.22 and 1.33 (1.3332).
    assert (quote.value_minor, quote.fee_minor, quote.tax_minor) == (yuan("79.00"), 79, 345 + 133)
    assert (quote.status, quote.expires_at) == ("open", NOW + VALID)
    assert counted(story.huailai_cards, 8) == (0, 3, 0)
    assert counted(story.zhangbei_cards, 9) == (15, 1, 0)
    assert counted(story.zhangbei_cards, 10) == (16, 0, 0)
    assert cast.funds(story.beichen) == (yuan("6000"), 0, yuan("6000"))
    assert AuditRecord.objects.get(subject_id=quote.id).action == "quote.open"
    assert Event.objects.get(subject_id=quote.id).organisation_id == story.beichen.organisation_id
    check_supply_adds_up()


def test_single_site_units_come_from_one_pool_even_when_that_is_dearer(story: Story) -> None:
    site = catalog_cast.listed_site(story.operator, "nx-1", name="Ningxia 1")
    far = catalog_cast.listed_offering(story.operator, story.huailai, site)
    terms = OfferTerms(2, D, D + 24 * HOUR, micros("5.00"), micros("6.00"))
    offers.place(story.huailai, OfferSpec(story.market.id, far.id, terms), now=NOW, lists_capacity=True)
    sell_at_once(story, story.zhangbei, story.zhangbei_cards, "11.00")
    assert lines(ask(story, story.beichen, 4)) == [("Huailai Compute", 8, 10, 2), ("Zhangbei Green DC", 8, 10, 2)]
    assert lines(ask(story, story.beichen, 4, single_site=True)) == [("Zhangbei Green DC", 8, 10, 4)]


def test_what_is_not_for_sale_at_once_is_not_quoted(story: Story) -> None:
    cast.place_offer(story, story.zhangbei, story.zhangbei_cards, "8.00")  # for the auction alone
    sell_at_once(story, story.huailai, story.huailai_cards, "9.50", quantity=3, first=8, last=20)
    with pytest.raises(InstantSupplyShort) as refused:
        ask(story, story.beichen, 4)
    assert refused.value.facts == {"available_quantity": 3}
    with pytest.raises(InstantSupplyShort, match="0 units"):
        ask(story, story.beichen, 1, first=7)
    assert not Quote.objects.exists()
    check_supply_adds_up()


def test_ones_own_offers_are_not_quoted_to_oneself(story: Story) -> None:
    organisation = cast.organisation_of(story.huailai)
    organisation.can_buy = True
    organisation.save(update_fields=["can_buy"])
    cast.fund(organisation, "5000")
    sell_at_once(story, story.huailai, story.huailai_cards, "9.50")
    both = catalog_cast.acting_for(organisation, cast.BUYING | cast.SELLING)
    with pytest.raises(InstantSupplyShort):
        ask(story, both, 1)
    sell_at_once(story, story.zhangbei, story.zhangbei_cards, "11.00")
    assert lines(ask(story, both, 1)) == [("Zhangbei Green DC", 8, 10, 1)]


def test_providers_and_listings_that_are_suspended_are_not_quoted(story: Story) -> None:
    sell_at_once(story, story.huailai, story.huailai_cards, "9.50")
    sell_at_once(story, story.zhangbei, story.zhangbei_cards, "9.60")
    organisations.suspend(story.operator, story.huailai.organisation(), now=NOW)
    assert lines(ask(story, story.beichen, 1)) == [("Zhangbei Green DC", 8, 10, 1)]
    offerings.suspend(story.operator, story.zhangbei_cards.id, now=NOW)
    with pytest.raises(InstantSupplyShort):
        ask(story, story.beichen, 1)


def test_every_wrong_field_is_named_at_once(story: Story) -> None:
    spec = wanted(story, 0, first=-36, last=400, budget_minor=0, valid_seconds=20)
    with pytest.raises(QuoteInvalid) as refused:
        services.ask(story.beichen, spec, now=NOW)
    assert [problem.pointer for problem in refused.value.problems] == [
        "/quantity",
        "/starts_at",
        "/ends_at",
        "/budget",
        "/valid_seconds",
    ]


def test_the_lead_time_counts_from_the_last_moment_of_the_quote(story: Story) -> None:
    terms = OfferTerms(4, NOW + HOUR, NOW + 9 * HOUR, micros("8.00"), micros("9.00"))
    offers.place(story.huailai, OfferSpec(story.market.id, story.huailai_cards.id, terms), now=NOW, lists_capacity=True)
    soon = wanted(story, 1, first=-35, last=-34)  # an hour from NOW
    with clock.travel(NOW + timedelta(minutes=28)):
        quote = services.ask(story.beichen, soon, now=clock.now())
        assert quote.expires_at == NOW + timedelta(minutes=30)
    with clock.travel(NOW + timedelta(minutes=29)), pytest.raises(QuoteInvalid, match="rules"):
        services.ask(story.beichen, soon, now=clock.now())


def test_needs_that_no_cell_meets_are_refused_with_ranked_reasons(story: Story) -> None:
    with pytest.raises(NeedsUnsatisfiable) as refused:
        ask(story, story.beichen, 1, needs=Needs(min_memory_gb=640))
    assert refused.value.problems[0].pointer == "/needs/min_mem_gb"


def test_budget_and_funds_bound_a_quote_and_name_the_largest_quantity(story: Story) -> None:
    sell_at_once(story, story.huailai, story.huailai_cards, "10.00")
    # A card for two hours: 20.00 with 0.20 fee and 1.21 VAT (1.212).
    with pytest.raises(QuoteOverBudget) as over:
        ask(story, story.beichen, 4, budget_minor=yuan("64.30"))
    assert over.value.facts["largest_quantity"] == 3
    assert ask(story, story.beichen, 3, budget_minor=yuan("64.30")).total_minor == yuan("64.24")
    with pytest.raises(QuoteUnfunded) as unfunded:
        ask(story, story.qinghe, 13, first=0, last=24)
    assert unfunded.value.facts == {
        "needed": {"amount": "3340.27", "currency": "CNY"},
        "available": {"amount": "1000.00", "currency": "CNY"},
        "largest_quantity": 3,
    }


def test_nobody_hoards(story: Story) -> None:
    sell_at_once(story, story.huailai, story.huailai_cards, "9.50")
    for _ in range(3):
        ask(story, story.beichen, 1)
    with pytest.raises(QuotesExhausted, match="3 open quotes"):
        ask(story, story.beichen, 1)
    ask(story, story.lanting, 1)
    with clock.travel(NOW + VALID):  # their time is over, whether somebody has swept or not
        services.ask(story.beichen, wanted(story, 1), now=clock.now())


def test_the_unit_hours_that_one_buyer_may_have_held_are_bounded(noon: None) -> None:
    story = cast.make_story(quoted_unit_hours_at_most=40)
    sell_at_once(story, story.huailai, story.huailai_cards, "9.50")
    ask(story, story.beichen, 10)
    with pytest.raises(QuotesExhausted, match="20 unit-hours held"):
        ask(story, story.beichen, 11)
    quote = ask(story, story.beichen, 6)
    # The database says so too.
    copy = Quote.objects.get(id=quote.id)
    copy.id = None
    with pytest.raises(DatabaseError, match="more than its buyer"), transaction.atomic():
        copy.save(force_insert=True)


def test_a_firm_quote_stays_as_it_is(story: Story) -> None:
    sell_at_once(story, story.huailai, story.huailai_cards, "9.50")
    quote = ask(story, story.beichen, 4)
    with pytest.raises(DatabaseError, match="is firm"), transaction.atomic():
        Quote.objects.filter(id=quote.id).update(value_minor=1)
    with pytest.raises(DatabaseError, match="is firm"), transaction.atomic():
        Quote.objects.filter(id=quote.id).update(expires_at=quote.expires_at + HOUR)


def test_withdrawn_and_expired_quotes_give_back_what_they_held(story: Story) -> None:
    sell_at_once(story, story.huailai, story.huailai_cards, "9.50")
    withdrawn, expired, fresh = (ask(story, story.beichen, n, valid_seconds=60 * n) for n in (1, 2, 3))
    services.withdraw(story.beichen, withdrawn.id, now=NOW)
    assert counted(story.huailai_cards, 8) == (11, 5, 0)
    with clock.travel(NOW + timedelta(seconds=119)):
        assert services.expire_due(now=clock.now()) == 0
    with clock.travel(NOW + timedelta(seconds=120)):
        assert services.expire_due(now=clock.now()) == 1
        assert services.expire_due(now=clock.now()) == 0
        with pytest.raises(QuoteExpired):
            services.withdraw(story.beichen, expired.id, now=clock.now())
    assert counted(story.huailai_cards, 8) == (13, 3, 0)
    assert [Quote.objects.get(id=quote.id).status for quote in (withdrawn, expired, fresh)] == [
        "withdrawn",
        "expired",
        "open",
    ]
    with pytest.raises(QuoteNotOpen, match="withdrawn"):
        services.withdraw(story.beichen, withdrawn.id, now=NOW)
    check_supply_adds_up()


def test_a_quote_is_its_buyers_alone(story: Story) -> None:
    sell_at_once(story, story.huailai, story.huailai_cards, "9.50")
    quote = ask(story, story.beichen, 1)
    with pytest.raises(QuoteNotFound):
        services.withdraw(story.lanting, quote.id, now=NOW)
    with pytest.raises(QuoteNotFound):
        queries.get(story.lanting, quote.id)
    colleague = viewer(cast.organisation_of(story.beichen))
    assert queries.get(colleague, quote.id) == quote
    with pytest.raises(NotAllowed):
        services.withdraw(colleague, quote.id, now=NOW)
    assert queries.get(story.operator, quote.id) == quote


def test_who_may_not_buy_and_a_market_that_is_stopped_get_no_quote(story: Story) -> None:
    sell_at_once(story, story.huailai, story.huailai_cards, "9.50")
    markets.suspend(story.operator, story.market.id, reason="a test", now=NOW)
    with pytest.raises(MarketSuspended):
        ask(story, story.beichen, 1)
    markets.resume(story.operator, story.market.id, reason="a test", now=NOW)
    organisations.suspend(story.operator, story.beichen.organisation(), now=NOW)
    with pytest.raises(BuyerNotActive):
        ask(story, story.beichen, 1)


# --- What a held offer may still do --------------------------------------------------------------


def test_an_offer_keeps_its_quantity_and_hours_while_a_quote_holds_it_but_may_change_its_prices(story: Story) -> None:
    offer = sell_at_once(story, story.huailai, story.huailai_cards, "9.50")
    quote = ask(story, story.beichen, 4)
    with pytest.raises(OfferQuoted):
        offers.withdraw(story.huailai, offer.id, now=NOW)
    with pytest.raises(OfferQuoted):
        offers.amend(story.huailai, offer.id, quantity=15, now=NOW)
    changed = offers.amend(story.huailai, offer.id, instant_price_micros=None, reserve_micros=micros("9.80"), now=NOW)
    assert (changed.instant_price_micros, changed.revision) == (None, 2)
    with pytest.raises(InstantSupplyShort):
        ask(story, story.beichen, 1)
    assert Quote.objects.get(id=quote.id).parts.get().price_micros == micros("9.50")
    services.withdraw(story.beichen, quote.id, now=NOW)
    assert offers.withdraw(story.huailai, offer.id, now=NOW).status == "withdrawn"
    check_supply_adds_up()


def test_an_instant_price_is_a_term_like_the_rest(story: Story) -> None:
    offer = cast.place_offer(story, story.huailai, story.huailai_cards, "8.00")
    seq = offer.seq
    changed = offers.amend(story.huailai, offer.id, instant_price_micros=micros("9.00"), now=NOW)
    assert (changed.seq, changed.revision) == (seq, 2)
    assert [row.instant_price_micros for row in offer.revisions.order_by("revision")] == [None, micros("9.00")]
    for price, said in (("7.99", "at least the reserve"), ("100.01", "price from"), ("9.001", "multiple")):
        wrong = int(price.replace(".", "").ljust(4, "0")) * 1_000 if len(price) == 5 else micros(price)
        with pytest.raises(OfferInvalid) as refused:
            offers.amend(story.huailai, offer.id, instant_price_micros=wrong, now=NOW)
        assert [problem.pointer for problem in refused.value.problems] == ["/instant_price"]
        assert said in refused.value.problems[0].detail
    with pytest.raises(OfferInvalid):
        offers.amend(story.huailai, offer.id, reserve_micros=micros("9.01"), now=NOW)


def test_offers_with_an_instant_price_may_begin_before_the_next_gate_delivers_and_live_until_they_cannot(
    story: Story,
) -> None:
    terms = OfferTerms(4, NOW + HOUR, NOW + 9 * HOUR, micros("8.00"))
    at_auction = OfferSpec(story.market.id, story.huailai_cards.id, terms)
    with pytest.raises(OfferInvalid, match="rules"):
        offers.place(story.huailai, at_auction, now=NOW, lists_capacity=True)
    at_once = OfferSpec(
        story.market.id,
        story.huailai_cards.id,
        OfferTerms(4, NOW + HOUR, NOW + 9 * HOUR, micros("8.00"), micros("9.00")),
    )
    offer = offers.place(story.huailai, at_once, now=NOW, lists_capacity=True)
    system = Actor.system("test")
    assert offer_gate.expire_due(system, story.market, now=NOW + timedelta(hours=7, minutes=30)) == 0
    assert offer_gate.expire_due(system, story.market, now=NOW + timedelta(hours=7, minutes=31)) == 1
    assert Offer.objects.get(id=offer.id).status == "expired"


# --- Beside the auction ---------------------------------------------------------------------------


def test_a_frozen_book_does_not_hold_what_a_quote_holds_and_a_quote_takes_nothing_from_a_frozen_book(
    story: Story,
) -> None:
    offer = sell_at_once(story, story.huailai, story.huailai_cards, "9.50")
    quote = ask(story, story.beichen, 6, first=8, last=10, valid_seconds=300)
    with clock.travel(GATE - timedelta(seconds=10)):
        late = services.ask(story.beichen, wanted(story, 4, first=8, last=10), now=clock.now())
    services.expire_due(now=GATE - timedelta(seconds=10))
    assert Quote.objects.get(id=quote.id).status == "expired"
    with clock.travel(GATE):
        gates.close_due(now=GATE)
        (snapshot,) = RoundSnapshot.objects.all()
        rows = {(row["t0"], row["t1"]): row["qty"] for row in json.loads(snapshot.text)["offers"]}
        first = (D - story.market.terms.slot_zero) // HOUR
        assert rows == {(first, first + 8): 16, (first + 8, first + 10): 12, (first + 10, first + 24): 16}
        with pytest.raises(InstantSupplyShort):  # the offer stands in the book now
            services.ask(story.beichen, wanted(story, 1), now=GATE)
        # What the quote holds is its own still: let go, it waits for the next book.
        services.withdraw(story.beichen, late.id, now=GATE)
    assert Offer.objects.get(id=offer.id).held_unit_hours == 0
    check_supply_adds_up()


def test_an_offer_that_a_quote_holds_whole_is_left_out_of_the_book_and_stays_open(story: Story) -> None:
    offer = sell_at_once(story, story.huailai, story.huailai_cards, "9.50", quantity=4, first=8, last=10)
    with clock.travel(GATE - timedelta(seconds=10)):
        services.ask(story.beichen, wanted(story, 4), now=clock.now())
    with clock.travel(GATE):
        gates.close_due(now=GATE)
    (snapshot,) = RoundSnapshot.objects.all()
    assert snapshot.left_out == {str(offer): "nothing_left_in_the_horizon"}
    assert Offer.objects.get(id=offer.id).locked_at is None


def test_a_partly_sold_offer_is_still_refused_other_quantities(story: Story) -> None:
    offer = sell_at_once(story, story.huailai, story.huailai_cards, "9.50")
    purchases.accept(story.beichen, ask(story, story.beichen, 4).id, now=NOW)
    with pytest.raises(OfferPartlySold):
        offers.amend(story.huailai, offer.id, quantity=15, now=NOW)
