"""Listing units by the hour, and claiming them: nothing is ever promised twice."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.actors.errors import NotAllowed
from accounts.foundation.errors import Invalid
from exchange.capacity import queries
from exchange.capacity import services as capacity
from exchange.capacity.errors import CapacityCommitted, CapacityShort, OfferingUnknown
from exchange.capacity.models import CapacitySlot
from tests.exchange.cast import HOUR, NOW, D, Story


def test_listing_says_how_many_units_each_hour_has(story: Story) -> None:
    slots = capacity.list_capacity(
        story.huailai, offering_id=story.huailai_cards.id, starts_at=D, ends_at=D + 3 * HOUR, quantity=20, now=NOW
    )
    assert [(slot.starts_at, slot.listed, slot.free) for slot in slots] == [(D + n * HOUR, 20, 20) for n in range(3)]
    assert CapacitySlot.objects.filter(offering=story.huailai_cards).count() == 24
    assert queries.hours_of(story.huailai, story.huailai_cards.id).filter(listed=16).count() == 21


def test_listing_again_replaces_the_number_down_to_what_is_committed(story: Story) -> None:
    claim = {(story.huailai_cards.id, D + HOUR): 5}
    capacity.change_offered(claim)
    listing: dict[str, Any] = {
        "offering_id": story.huailai_cards.id,
        "starts_at": D,
        "ends_at": D + 2 * HOUR,
        "now": NOW,
    }
    with pytest.raises(CapacityCommitted, match="2026-05-02T17:00Z, 5 units"):
        capacity.list_capacity(story.huailai, quantity=4, **listing)
    assert {slot.listed for slot in CapacitySlot.objects.filter(offering=story.huailai_cards)} == {16}
    slots = capacity.list_capacity(story.huailai, quantity=5, **listing)
    assert [slot.free for slot in slots] == [5, 0]


@pytest.mark.parametrize(
    ("start", "end", "quantity", "pointers"),
    [
        (timedelta(minutes=30), 2 * HOUR, 1, ["/starts_at"]),
        (HOUR, HOUR, 1, ["/ends_at"]),
        (timedelta(0), 367 * 24 * HOUR, 1, ["/ends_at"]),
        (timedelta(0), HOUR, -1, ["/quantity"]),
        (timedelta(0), HOUR, 1_000_001, ["/quantity"]),
    ],
)
def test_a_wrong_listing_names_its_field(
    story: Story, start: timedelta, end: timedelta, quantity: int, pointers: list[str]
) -> None:
    with pytest.raises(Invalid) as refused:
        capacity.list_capacity(
            story.huailai,
            offering_id=story.huailai_cards.id,
            starts_at=D + start,
            ends_at=D + end,
            quantity=quantity,
            now=NOW,
        )
    assert [problem.pointer for problem in refused.value.problems] == pointers


def test_only_the_provider_lists_and_sees_its_capacity(story: Story) -> None:
    listing: dict[str, Any] = {"starts_at": D, "ends_at": D + HOUR, "quantity": 1, "now": NOW}
    with pytest.raises(OfferingUnknown):
        capacity.list_capacity(story.zhangbei, offering_id=story.huailai_cards.id, **listing)
    with pytest.raises(NotAllowed):
        capacity.list_capacity(story.beichen, offering_id=story.huailai_cards.id, **listing)
    assert not queries.hours_of(story.zhangbei, story.huailai_cards.id).exists()
    with pytest.raises(NotAllowed):
        queries.visible_to(story.beichen)
    assert queries.visible_to(story.operator).count() == 48


def test_a_claim_beyond_what_is_free_names_the_hour(story: Story) -> None:
    offering = story.huailai_cards.id
    capacity.change_offered({(offering, D + HOUR): 10})
    with pytest.raises(CapacityShort) as refused:
        capacity.change_offered({(offering, D): 7, (offering, D + HOUR): 7})
    assert refused.value.free == 6
    assert "2026-05-02T17:00Z" in refused.value.detail
    with pytest.raises(CapacityShort):
        capacity.change_offered({(offering, D + 48 * HOUR): 1})  # never listed
    assert sorted(queries.visible_to(story.operator).values_list("offered", flat=True))[-2:] == [0, 10]


def test_what_is_missing_can_be_listed_with_the_claim(story: Story) -> None:
    offering = story.huailai_cards.id
    capacity.change_offered({(offering, D): 10})
    wanted = {(offering, D): 10, (offering, D + 30 * HOUR): 3}
    capacity.list_what_is_missing(wanted)
    capacity.change_offered(wanted)
    rows = {row.starts_at: row for row in queries.hours_of(story.huailai, offering)}
    assert (rows[D].listed, rows[D].offered) == (20, 20)
    assert (rows[D + 30 * HOUR].listed, rows[D + 30 * HOUR].offered) == (3, 3)
    assert rows[D + HOUR].listed == 16


def test_offered_units_become_sold_ones_and_never_more(story: Story) -> None:
    hour = (story.huailai_cards.id, D)
    capacity.change_offered({hour: 10})
    capacity.sell({hour: 6})
    row = CapacitySlot.objects.get(offering_id=hour[0], starts_at=D)
    assert (row.offered, row.sold, row.free) == (4, 6, 6)
    with pytest.raises(IntegrityError), transaction.atomic():
        capacity.sell({hour: 5})


def test_the_row_itself_refuses_to_be_oversold(story: Story) -> None:
    rows = CapacitySlot.objects.filter(offering=story.huailai_cards, starts_at=D)
    for change in ({"offered": 17}, {"sold": 10, "held": 7}, {"starts_at": D + timedelta(minutes=1)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**change)
