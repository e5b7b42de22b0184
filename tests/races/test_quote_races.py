"""Many at once at the instant counter: real connections, released together by a barrier."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial

import pytest

from accounts.foundation import clock
from accounts.foundation.errors import DomainError
from accounts.jobs import services as jobs
from billing.contracts.models import Contract
from billing.ledger.models import Hold
from exchange.auctions import gates
from exchange.offers import services as offers
from exchange.orders import services as orders
from exchange.purchases import services as purchases
from exchange.quotes import services as quotes
from exchange.quotes.models import Quote
from exchange.quotes.rules import QuoteStatus
from exchange.trades.models import Trade
from tests.audit.stage import finding
from tests.exchange import cast
from tests.exchange.cast import GATE, NOW, Story
from tests.exchange.quotes.cast import ask, check_supply_adds_up, counted, sell_at_once, wanted
from tests.races import together as races

pytestmark = pytest.mark.django_db(transaction=True)
together = partial(races.together, at=NOW, in_transaction=False)


@pytest.fixture
def staged(transactional_db: None) -> Iterator[Story]:
    """The cast of the story and 16 cards for sale at once, committed, so that every connection sees it."""
    with clock.travel(NOW):
        story = cast.make_story(quotes_at_once=8)
        sell_at_once(story, story.huailai, story.huailai_cards, "9.50")
        yield story
        check_supply_adds_up()
        assert [code for code in ("M1", "M9", "M10", "M11", "Q1", "Q2", "Q3") if finding(code).violations] == []


def codes(results: Sequence[object]) -> list[str]:
    return sorted(result.code for result in results if isinstance(result, DomainError))


def test_racing_for_the_last_cards_never_holds_more_than_there_are(staged: Story) -> None:
    buyers = [staged.beichen, staged.lanting, staged.qinghe] * 2
    results = together([lambda buyer=buyer: ask(staged, buyer, 4) for buyer in buyers])  # type: ignore[misc]
    assert set(codes(results)) <= {"instant_supply_short", "quote_contended"}
    given = Quote.objects.filter(status=QuoteStatus.OPEN).count()
    assert 1 <= given <= 4
    assert counted(staged.huailai_cards, 8) == (16 - 4 * given, 4 * given, 0)
    # Whoever was told to ask again finds what is left.
    for _ in range(4 - given):
        ask(staged, staged.lanting, 4)
    assert counted(staged.huailai_cards, 8) == (0, 16, 0)


def test_racing_acceptances_buy_once(staged: Story) -> None:
    quote = ask(staged, staged.beichen, 4)
    results = together([lambda: purchases.accept(staged.beichen, quote.id, now=NOW)] * 4)
    assert codes(results) == ["quote_not_open"] * 3
    assert (Trade.objects.count(), Contract.objects.count(), Hold.objects.count()) == (1, 1, 1)
    assert cast.funds(staged.beichen)[1] == quote.total_minor


def test_a_quote_is_accepted_or_expired_or_withdrawn_never_two_of_them(staged: Story) -> None:
    for _ in range(4):
        quote = ask(staged, staged.beichen, 2)
        results = together(
            [
                lambda quote=quote: purchases.accept(staged.beichen, quote.id, now=NOW),  # type: ignore[misc]
                lambda quote=quote: quotes.withdraw(staged.beichen, quote.id, now=NOW),  # type: ignore[misc]
                lambda: quotes.expire_due(now=NOW),
            ]
        )
        assert codes(results) == ["quote_not_open"]
        assert Quote.objects.get(id=quote.id).status in {"accepted", "withdrawn"}
    late = ask(staged, staged.beichen, 2)
    results = together(
        [
            lambda: purchases.accept(staged.beichen, late.id, now=NOW),
            lambda: quotes.expire_due(now=late.expires_at),
        ],
        at=late.expires_at,
    )
    assert codes(results) == ["quote_expired"]
    quotes.expire_due(now=late.expires_at)  # the sweep leaves alone what somebody has locked
    assert Quote.objects.get(id=late.id).status == "expired"


def test_one_buyers_quotes_count_each_other(staged: Story) -> None:
    for _ in range(6):
        ask(staged, staged.beichen, 1)
    results = together([lambda: ask(staged, staged.beichen, 1)] * 4)
    assert codes(results) == ["quotes_exhausted"] * 2
    assert Quote.objects.count() == 8


def test_two_acceptances_never_spend_the_same_money(staged: Story) -> None:
    first, second = ask(staged, staged.qinghe, 16, first=8, last=13), None
    sell_at_once(staged, staged.zhangbei, staged.zhangbei_cards, "9.50")
    second = ask(staged, staged.qinghe, 16, first=8, last=13)
    assert first.total_minor + second.total_minor > 100_000
    results = together(
        [lambda quote=quote: purchases.accept(staged.qinghe, quote.id, now=NOW) for quote in (first, second)]  # type: ignore[misc]
    )
    assert codes(results) == ["quote_unfunded"]
    assert sorted(Quote.objects.values_list("status", flat=True)) == ["accepted", "open"]


def test_withdrawing_an_offer_and_quoting_it_never_both_succeed(staged: Story) -> None:
    offer = staged.market.offers.get()
    results = together(
        [
            lambda: offers.withdraw(staged.huailai, offer.id, now=NOW),
            lambda: ask(staged, staged.beichen, 4),
            lambda: offers.amend(staged.huailai, offer.id, quantity=2, now=NOW),
        ]
    )
    assert set(codes(results)) <= {
        "offer_quoted",
        "offer_changed",
        "instant_supply_short",
        "capacity_short",
        "offer_not_open",
        "quote_contended",
    }
    offer.refresh_from_db()
    assert (offer.status == "withdrawn") <= (offer.held_unit_hours == 0)


def test_the_gate_the_counter_and_an_acceptance_at_the_same_moment_sell_every_card_once(staged: Story) -> None:
    orders.place(staged.lanting, cast.hourly(staged, "11.00", quantity_max=16, first=8, last=10), now=NOW)
    before = GATE - timedelta(seconds=30)
    with clock.travel(before):
        held = quotes.ask(staged.beichen, wanted(staged, 4), now=before)
    together(
        [
            lambda: gates.close_due(now=GATE),
            lambda: purchases.accept(staged.beichen, held.id, now=GATE),
            lambda: quotes.ask(staged.qinghe, wanted(staged, 4), now=GATE),
            lambda: quotes.ask(staged.beichen, wanted(staged, 12), now=GATE),
        ],
        at=GATE,
    )
    with clock.travel(GATE):
        while jobs.run_due(limit=10, now=GATE):
            pass
    sold = sum(Trade.objects.values_list("quantity", flat=True))
    on_hold = sum(quote.quantity for quote in Quote.objects.filter(status="open"))
    assert sold + on_hold == 16
    assert counted(staged.huailai_cards, 8) == (0, on_hold, sold)
