"""Many at once on the same book: real connections, released together by a barrier."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from accounts.foundation import clock, ids
from accounts.foundation.errors import DomainError
from billing.ledger import queries as ledger
from exchange.auctions import gates
from exchange.capacity import services as capacity
from exchange.capacity.models import CapacitySlot
from exchange.offers import services as offers
from exchange.offers.models import Offer
from exchange.orders import services as orders
from exchange.orders.models import Order
from exchange.rounds.models import Round, RoundSnapshot
from exchange.rounds.rules import RoundStatus
from tests.exchange import cast
from tests.exchange.cast import GATE, HOUR, NOW, D, Story, micros, yuan
from tests.races import together as races

pytestmark = pytest.mark.django_db(transaction=True)
together = partial(races.together, at=NOW, in_transaction=False)

BEFORE_THE_GATE = GATE - timedelta(minutes=11)  # the last minute in which anything may be withdrawn


@pytest.fixture
def staged(transactional_db: None) -> Iterator[Story]:
    """The cast of the story, committed, so that every connection sees it."""
    with clock.travel(NOW):
        yield cast.make_story()


def refused(results: Sequence[object]) -> list[DomainError]:
    return [result for result in results if isinstance(result, DomainError)]


def check_book() -> None:
    """Recompute what capacity has promised from the offers, and what wallets hold from the orders."""
    for row in CapacitySlot.objects.all():
        assert row.offered + row.held + row.sold <= row.listed
        slots = [
            slot
            for offer in Offer.objects.filter(offering=row.offering)
            for slot in offer.slots.filter(starts_at=row.starts_at)
        ]
        assert row.offered == sum(slot.quantity - slot.sold for slot in slots)
    for order in Order.objects.select_related("hold"):
        held = orders.rest_of_hold_minor(order, order.open_unit_hours) if order.closed_at is None else 0
        assert order.hold.amount_minor == held
        assert order.revisions.count() == order.revision


def test_racing_offers_never_promise_more_than_is_listed(staged: Story) -> None:
    spec = cast.offer_spec(staged, staged.huailai_cards, "8.00", quantity=4)
    results = together([lambda: offers.place(staged.huailai, spec, now=NOW)] * 8)
    assert [error.code for error in refused(results)] == ["capacity_short"] * 4
    assert Offer.objects.count() == 4
    assert set(CapacitySlot.objects.filter(offering=staged.huailai_cards).values_list("offered", flat=True)) == {16}
    check_book()


def test_offers_of_overlapping_windows_wait_for_each_other_and_never_lock_up(staged: Story) -> None:
    specs = [
        cast.offer_spec(staged, staged.huailai_cards, "8.00", quantity=5, first=first, last=first + 12)
        for first in (0, 12, 6, 3, 9, 1, 11, 5)
    ]
    results = together([lambda spec=spec: offers.place(staged.huailai, spec, now=NOW) for spec in specs])  # type: ignore[misc]
    assert {error.code for error in refused(results)} <= {"capacity_short"}
    check_book()


def test_lowering_the_capacity_and_offering_it_never_both_succeed(staged: Story) -> None:
    offer_it = cast.offer_spec(staged, staged.huailai_cards, "8.00", quantity=12)
    listing: dict[str, Any] = {
        "offering_id": staged.huailai_cards.id,
        "starts_at": D,
        "ends_at": D + 24 * HOUR,
        "now": NOW,
    }
    for _ in range(5):
        results = together(
            [
                lambda: offers.place(staged.huailai, offer_it, now=NOW),
                lambda: capacity.list_capacity(staged.huailai, quantity=8, **listing),
            ]
        )
        assert len(refused(results)) == 1
        check_book()
        for offer in Offer.objects.filter(closed_at__isnull=True):
            offers.withdraw(staged.huailai, offer.id, now=NOW)
        capacity.list_capacity(
            staged.huailai,
            offering_id=staged.huailai_cards.id,
            starts_at=D,
            ends_at=D + 24 * HOUR,
            quantity=16,
            now=NOW,
        )


def test_racing_orders_hold_no_more_than_the_wallet_has(staged: Story) -> None:
    spec = cast.block(staged, "12.50", quantity_max=6)  # holds 1,927.08 of 6,000.00
    results = together([lambda: orders.place(staged.beichen, spec, now=NOW)] * 8)
    assert [error.code for error in refused(results)] == ["order_unfunded"] * 5
    assert ledger.funds(staged.beichen.organisation(), "CNY").held_minor == 3 * yuan("1927.08")
    assert len(set(Order.objects.values_list("seq", flat=True))) == 3
    check_book()


def test_an_order_cancelled_twice_at_once_gives_its_hold_back_once(staged: Story) -> None:
    order = cast.place_order(staged.beichen, cast.block(staged, "12.50"))
    results = together([lambda: orders.cancel(staged.beichen, order.id, now=NOW)] * 6)
    assert len(refused(results)) == 5
    assert {error.code for error in refused(results)} <= {"order_changed", "order_not_open"}
    assert ledger.funds(staged.beichen.organisation(), "CNY").held_minor == 0
    check_book()


def test_an_order_amended_and_cancelled_at_once_ends_in_one_of_the_two(staged: Story) -> None:
    for _ in range(5):
        order = cast.place_order(staged.beichen, cast.block(staged, "10.00", quantity_max=8))
        together(
            [
                lambda: orders.cancel(staged.beichen, order.id, now=NOW),  # noqa: B023 (used before the loop goes on)
                lambda: orders.amend(staged.beichen, order.id, limit_micros=micros("11.00"), now=NOW),  # noqa: B023
                lambda: orders.amend(staged.beichen, order.id, quantity_max=9, now=NOW),  # noqa: B023
            ]
        )
        check_book()
        for left in Order.objects.filter(closed_at__isnull=True):
            orders.cancel(staged.beichen, left.id, now=NOW)
    assert ledger.funds(staged.beichen.organisation(), "CNY").held_minor == 0


def test_two_changes_of_one_offer_at_once_leave_its_capacity_right(staged: Story) -> None:
    offer = cast.place_offer(staged, staged.huailai, staged.huailai_cards, "8.00", quantity=8)
    for quantity in (9, 10, 11):
        together(
            [
                lambda: offers.amend(staged.huailai, offer.id, quantity=quantity, now=NOW),  # noqa: B023
                lambda: offers.amend(staged.huailai, offer.id, quantity=quantity - 4, ends_at=D + 20 * HOUR, now=NOW),  # noqa: B023
                lambda: offers.amend(staged.huailai, offer.id, reserve_micros=micros("7.00"), now=NOW),
            ]
        )
        check_book()
    together(
        [
            lambda: offers.withdraw(staged.huailai, offer.id, now=NOW),
            lambda: offers.amend(staged.huailai, offer.id, quantity=16, now=NOW),
        ]
    )
    check_book()


def test_requests_in_the_last_second_are_in_the_book_or_refused_and_never_both(staged: Story) -> None:
    """A gate freezes while orders are placed and cancelled: the snapshot holds exactly what was accepted before it."""
    standing = [
        cast.place_order(staged.beichen, cast.block(staged, "12.50", quantity_max=1, hours=1)) for _ in range(4)
    ]
    cast.place_offer(staged, staged.huailai, staged.huailai_cards, "8.00")
    closing = Round.objects.get(market=staged.market, scheduled_at=GATE)
    small = cast.block(staged, "12.50", quantity_max=1, hours=1)

    def freeze() -> object:
        with clock.travel(GATE):
            return gates.freeze(closing.id, now=GATE)

    placing = [lambda: orders.place(staged.beichen, small, now=BEFORE_THE_GATE)] * 4
    cancelling = [
        lambda order=order: orders.cancel(staged.beichen, order.id, now=BEFORE_THE_GATE) for order in standing
    ]
    together([*placing, freeze, *cancelling], at=BEFORE_THE_GATE)
    snapshot = RoundSnapshot.objects.get(round=closing)
    for order in Order.objects.all():
        in_book = ids.spell("ord", order.id) in snapshot.text
        assert in_book == (order.status == "locked"), order.status
        assert order.status in {"locked", "cancelled", "open"}
        if order.status == "open":  # came after the gate had closed and waits for the next one
            assert order.created_at <= GATE
    closing.refresh_from_db()
    assert closing.status == RoundStatus.GATED
    check_book()
