"""Placing, amending, selling and withdrawing offers, and what becomes of their capacity."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.actors.actor import Actor
from accounts.actors.errors import NotAllowed
from accounts.audit.models import AuditRecord
from accounts.events.models import Event
from accounts.foundation import clock
from accounts.organisations import services as organisations
from accounts.organisations.models import Organisation
from catalog.offerings import services as offerings
from exchange.capacity.errors import CapacityShort
from exchange.capacity.models import CapacitySlot
from exchange.offers import gate, queries
from exchange.offers import services as offers
from exchange.offers.errors import (
    OfferingNotTraded,
    OfferInRound,
    OfferInvalid,
    OfferMoveRefused,
    OfferNotFound,
    OfferPartlySold,
    OfferUnchanged,
    OwnOrderCouldMeet,
    SellerNotActive,
)
from exchange.offers.models import Offer
from exchange.offers.rules import Sale
from exchange.orders import services as orders
from exchange.rounds.errors import NoCancelPhase
from tests.catalog.cast import acting_for
from tests.exchange import cast
from tests.exchange.cast import BUYING, GATE, HOUR, NOW, D, Story, micros, place_offer

NO_CANCEL = GATE - timedelta(minutes=5)
SYSTEM = Actor.system("test")


def offered(story: Story) -> dict[int, int]:
    """Return the units on offer of Huailai's cards by the hour of D, without hours that have none."""
    rows = CapacitySlot.objects.filter(offering=story.huailai_cards, offered__gt=0)
    return {(row.starts_at - D) // HOUR: row.offered for row in rows}


def check_slots_add_up() -> None:
    """What offers have unsold is what capacity has offered, and their hours add up."""
    for offer in Offer.objects.all():
        unsold = sum(slot.quantity - slot.sold for slot in offer.slots.all())
        assert unsold == offer.open_unit_hours
        assert sum(slot.sold for slot in offer.slots.all()) == offer.sold_unit_hours
    for row in CapacitySlot.objects.all():
        slots = [
            slot
            for offer in Offer.objects.filter(offering=row.offering)
            for slot in offer.slots.filter(starts_at=row.starts_at)
        ]
        assert row.offered == sum(slot.quantity - slot.sold for slot in slots)
        assert row.sold == sum(slot.sold for slot in slots)


def test_an_offer_claims_its_units_in_every_hour(story: Story) -> None:
    offer = place_offer(story, story.huailai, story.huailai_cards, "8.00", quantity=10, first=8, last=12)
    assert (offer.status, offer.open_unit_hours, offer.revision) == ("open", 40, 1)
    assert offered(story) == {8: 10, 9: 10, 10: 10, 11: 10}
    assert offer.revisions.get().reserve_micros == micros("8.00")
    assert AuditRecord.objects.get(subject_id=offer.id).action == "offer.placed"
    assert Event.objects.get(subject_id=offer.id).organisation_id == story.huailai.organisation_id
    check_slots_add_up()


def test_offers_of_one_offering_never_promise_the_same_units(story: Story) -> None:
    place_offer(story, story.huailai, story.huailai_cards, "8.00", quantity=10)
    with pytest.raises(CapacityShort):
        place_offer(story, story.huailai, story.huailai_cards, "9.00", quantity=7, first=23)
    place_offer(story, story.huailai, story.huailai_cards, "9.00", quantity=6)
    assert set(offered(story).values()) == {16}


def test_a_newcomer_lists_and_offers_in_one_step(story: Story) -> None:
    spec = cast.offer_spec(story, story.huailai_cards, "8.00", quantity=20, first=24, last=26)
    with pytest.raises(CapacityShort):
        offers.place(story.huailai, spec, now=NOW)
    offers.place(story.huailai, spec, now=NOW, lists_capacity=True)
    assert offered(story) == {24: 20, 25: 20}


def test_every_wrong_field_is_named_at_once(story: Story) -> None:
    spec = cast.offer_spec(story, story.huailai_cards, "100.01", quantity=0, first=-60, last=400)
    with pytest.raises(OfferInvalid) as refused:
        offers.place(story.huailai, spec, now=NOW)
    assert [problem.pointer for problem in refused.value.problems] == [
        "/reserve_price",
        "/quantity",
        "/starts_at",
        "/ends_at",
    ]
    assert not Offer.objects.exists()


def test_only_a_listed_offering_of_ones_own_and_of_the_markets_kind_is_offered(story: Story) -> None:
    with pytest.raises(OfferingNotTraded, match="none of them"):
        place_offer(story, story.zhangbei, story.huailai_cards, "8.00")
    offerings.suspend(story.operator, story.huailai_cards.id, now=NOW)
    with pytest.raises(OfferingNotTraded, match="suspended"):
        place_offer(story, story.huailai, story.huailai_cards, "8.00")


def test_a_suspended_seller_offers_nothing(story: Story) -> None:
    organisations.suspend(story.operator, story.huailai.organisation(), now=NOW)
    with pytest.raises(SellerNotActive):
        place_offer(story, story.huailai, story.huailai_cards, "8.00")


def test_nobody_sells_to_themselves(story: Story) -> None:
    organisation = Organisation.objects.get(id=story.huailai.organisation())
    organisation.can_buy = True
    organisation.save(update_fields=["can_buy"])
    cast.fund(organisation, "5000")
    order = orders.place(acting_for(organisation, BUYING), cast.hourly(story, "9.00", first=8, last=10), now=NOW)
    with pytest.raises(OwnOrderCouldMeet) as refused:
        place_offer(story, story.huailai, story.huailai_cards, "8.00", first=9, last=20)
    assert str(order) in refused.value.detail
    offer = place_offer(story, story.huailai, story.huailai_cards, "8.00", first=10, last=20)
    with pytest.raises(OwnOrderCouldMeet):
        offers.amend(story.huailai, offer.id, starts_at=D + 9 * HOUR, now=NOW)


def test_lowering_keeps_the_place_and_taking_from_others_loses_it(story: Story) -> None:
    offer = place_offer(story, story.huailai, story.huailai_cards, "8.00", quantity=8, first=8, last=12)
    seq = offer.seq
    for kept in ({"reserve_micros": micros("7.00")}, {"quantity": 6}, {"ends_at": D + 11 * HOUR}):
        assert offers.amend(story.huailai, offer.id, now=NOW, **kept).seq == seq
    assert offered(story) == {8: 6, 9: 6, 10: 6}
    lost = ({"reserve_micros": micros("9.00")}, {"quantity": 16}, {"starts_at": D + 6 * HOUR})
    for change in lost:
        amended = offers.amend(story.huailai, offer.id, now=NOW, **change)
        assert amended.seq > seq
        seq = amended.seq
    assert offered(story) == dict.fromkeys(range(6, 11), 16)
    assert list(amended.revisions.order_by("revision").values_list("revision", flat=True)) == [1, 2, 3, 4, 5, 6, 7]
    assert amended.total_unit_hours == 80
    check_slots_add_up()


def test_an_amendment_beyond_the_capacity_changes_nothing(story: Story) -> None:
    offer = place_offer(story, story.huailai, story.huailai_cards, "8.00", quantity=8)
    with pytest.raises(CapacityShort):
        offers.amend(story.huailai, offer.id, quantity=17, now=NOW)
    with pytest.raises(OfferUnchanged):
        offers.amend(story.huailai, offer.id, quantity=8, now=NOW)
    offer.refresh_from_db()
    assert (offer.quantity, offer.revision) == (8, 1)
    assert set(offered(story).values()) == {8}


def test_only_changes_for_the_better_are_taken_in_the_no_cancel_phase(story: Story) -> None:
    offer = place_offer(story, story.huailai, story.huailai_cards, "8.00", quantity=8)
    with clock.travel(NO_CANCEL):
        changes: list[Callable[[], object]] = [
            lambda: offers.withdraw(story.huailai, offer.id, now=NO_CANCEL),
            lambda: offers.amend(story.huailai, offer.id, reserve_micros=micros("8.01"), now=NO_CANCEL),
            lambda: offers.amend(story.huailai, offer.id, quantity=7, now=NO_CANCEL),
        ]
        for change in changes:
            with pytest.raises(NoCancelPhase):
                change()
        better = offers.amend(story.huailai, offer.id, quantity=9, reserve_micros=micros("7.00"), now=NO_CANCEL)
    assert better.quantity == 9


def test_withdrawing_frees_the_capacity(story: Story) -> None:
    offer = place_offer(story, story.huailai, story.huailai_cards, "8.00")
    withdrawn = offers.withdraw(story.huailai, offer.id, now=NOW)
    assert (withdrawn.status, withdrawn.open_unit_hours, withdrawn.closed_at) == ("withdrawn", 0, NOW)
    assert offered(story) == {}
    check_slots_add_up()
    with pytest.raises(OfferMoveRefused):
        offers.withdraw(story.huailai, offer.id, now=NOW)
    place_offer(story, story.huailai, story.huailai_cards, "8.00")


def test_selling_counts_by_the_hour_and_never_beyond_the_offer(story: Story) -> None:
    offer = place_offer(story, story.huailai, story.huailai_cards, "8.00")
    gate.sell(SYSTEM, [Sale(offer.id, D, D + 24 * HOUR, 10), Sale(offer.id, D + 8 * HOUR, D + 9 * HOUR, 6)], now=GATE)
    offer.refresh_from_db()
    assert (offer.status, offer.sold_unit_hours, offer.open_unit_hours) == ("partly_sold", 246, 138)
    check_slots_add_up()
    with pytest.raises(IntegrityError), transaction.atomic():
        gate.sell(SYSTEM, [Sale(offer.id, D + 8 * HOUR, D + 9 * HOUR, 1)], now=GATE)
    gate.sell(
        SYSTEM,
        [Sale(offer.id, D, D + 8 * HOUR, 6), Sale(offer.id, D + 9 * HOUR, D + 24 * HOUR, 6)],
        now=GATE,
    )
    offer.refresh_from_db()
    assert (offer.status, offer.open_unit_hours) == ("sold", 0)
    check_slots_add_up()


def test_of_a_partly_sold_offer_only_the_price_changes_and_the_rest_can_go(story: Story) -> None:
    offer = place_offer(story, story.huailai, story.huailai_cards, "8.00")
    gate.sell(SYSTEM, [Sale(offer.id, D, D + 6 * HOUR, 16)], now=NOW)
    with pytest.raises(OfferPartlySold):
        offers.amend(story.huailai, offer.id, quantity=10, now=NOW)
    assert offers.amend(story.huailai, offer.id, reserve_micros=micros("7.50"), now=NOW).seq == offer.seq
    withdrawn = offers.withdraw(story.huailai, offer.id, now=NOW)
    assert (withdrawn.sold_unit_hours, withdrawn.closed_unit_hours) == (96, 288)
    assert offered(story) == {}
    check_slots_add_up()


def test_an_offer_in_a_round_waits_for_its_end(story: Story) -> None:
    offer = place_offer(story, story.huailai, story.huailai_cards, "8.00")
    assert [locked.id for locked in gate.lock_for_gate(story.market.id, gate_at=GATE, now=GATE)] == [offer.id]
    assert gate.lock_for_gate(story.market.id, gate_at=GATE, now=GATE) == []
    changes: list[Callable[[], object]] = [
        lambda: offers.withdraw(story.huailai, offer.id, now=NOW),
        lambda: offers.amend(story.huailai, offer.id, reserve_micros=micros("7.00"), now=NOW),
    ]
    for change in changes:
        with pytest.raises(OfferInRound):
            change()
    gate.unlock([offer.id])
    offers.withdraw(story.huailai, offer.id, now=NOW)


def test_a_gate_locks_what_was_accepted_before_it(story: Story) -> None:
    first = place_offer(story, story.huailai, story.huailai_cards, "8.00", quantity=8, first=12)
    with clock.travel(GATE):
        place_offer(story, story.huailai, story.huailai_cards, "8.00", quantity=8, first=14)
    assert [offer.id for offer in gate.lock_for_gate(story.market.id, gate_at=GATE, now=GATE)] == [first.id]


def test_an_offer_expires_when_no_gate_can_deliver_from_it(story: Story) -> None:
    short = place_offer(story, story.huailai, story.huailai_cards, "8.00", quantity=4, last=13)
    long = place_offer(story, story.huailai, story.huailai_cards, "8.00", quantity=4, last=14)
    # The gate at noon of D delivers from 13:00 on.
    assert gate.expire_due(SYSTEM, story.market, now=GATE) == 1
    short.refresh_from_db()
    long.refresh_from_db()
    assert (short.status, long.status) == ("expired", "open")
    check_slots_add_up()


def test_colleagues_may_look_and_strangers_see_nothing(story: Story) -> None:
    offer = place_offer(story, story.huailai, story.huailai_cards, "8.00")
    colleague = cast.viewer(Organisation.objects.get(id=story.huailai.organisation()))
    assert queries.get(colleague, offer.id) == offer
    changes: list[Callable[[], object]] = [
        lambda: offers.withdraw(colleague, offer.id, now=NOW),
        lambda: offers.amend(colleague, offer.id, reserve_micros=micros("7.00"), now=NOW),
        lambda: place_offer(story, colleague, story.huailai_cards, "8.00"),
        lambda: queries.visible_to(story.beichen),
    ]
    for change in changes:
        with pytest.raises(NotAllowed):
            change()
    reads: list[Callable[[], object]] = [
        lambda: queries.get(story.zhangbei, offer.id),
        lambda: offers.withdraw(story.zhangbei, offer.id, now=NOW),
        lambda: queries.get(story.zhangbei, UUID(int=0)),
    ]
    for read in reads:
        with pytest.raises(OfferNotFound):
            read()
    assert queries.get(story.operator, offer.id) == offer


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["place", "quantity", "start", "end", "sell", "withdraw"]),
        st.integers(0, 3),
        st.integers(1, 16),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=settings().max_examples // 3)  # each is a whole life in the database
@given(steps=STEPS)
def test_whatever_happens_capacity_has_offered_what_offers_have_unsold(
    story: Story, steps: list[tuple[str, int, int]]
) -> None:
    """A random life of a few offers, with the sums recomputed after every step."""
    placed: list[Offer] = []
    for step in steps:
        with suppress(CapacityShort, OfferUnchanged, OfferMoveRefused, OfferPartlySold, OfferInvalid):
            take(story, placed, *step)
        check_slots_add_up()
    for offer in Offer.objects.filter(closed_at__isnull=True):
        offers.withdraw(story.huailai, offer.id, now=NOW)
    # What is sold stays sold: the next example finds fresh hours only after taking them off.
    CapacitySlot.objects.filter(offering=story.huailai_cards).update(listed=F("listed") + F("sold"))


def take(story: Story, placed: list[Offer], verb: str, which: int, size: int) -> None:
    if verb == "place" or not placed:
        placed.append(place_offer(story, story.huailai, story.huailai_cards, "8.00", quantity=size, first=4 * which))
        return
    offer = Offer.objects.get(id=placed[which % len(placed)].id)
    if verb == "withdraw":
        offers.withdraw(story.huailai, offer.id, now=NOW)
    elif verb == "sell":
        left = min(
            (slot.quantity - slot.sold for slot in offer.slots.filter(starts_at__gte=offer.starts_at)), default=0
        )
        if left:
            gate.sell(SYSTEM, [Sale(offer.id, offer.starts_at, offer.starts_at + HOUR, min(left, size))], now=NOW)
    else:
        changes: dict[str, dict[str, Any]] = {
            "quantity": {"quantity": size},
            "start": {"starts_at": D + size * HOUR},
            "end": {"ends_at": D + (size + 8) * HOUR},
        }
        offers.amend(story.huailai, offer.id, now=NOW, **changes[verb])


def test_an_offer_is_always_of_the_providers_own_offering(story: Story) -> None:
    offer = place_offer(story, story.huailai, story.huailai_cards, "8.00")
    with pytest.raises(IntegrityError, match="another provider"), transaction.atomic():
        Offer.objects.filter(id=offer.id).update(offering=story.zhangbei_cards)
