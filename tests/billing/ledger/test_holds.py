"""Holding funds, and what becomes of them."""

import pytest
from django.db import transaction

from accounts.foundation import ids
from billing.ledger import queries
from billing.ledger import services as ledger
from billing.ledger.errors import AlreadyHeld, HoldTooSmall, InsufficientFunds, NoSuchHold, WalletOverdrawn
from billing.ledger.rules import Capture, HoldStatus
from tests.billing.ledger.books import NOW, Party, check_deferred, hold, invoice, party, source, top_up

pytestmark = pytest.mark.django_db


@pytest.fixture
def lab() -> Party:
    return party("Beichen AI Lab")


def figures(owner: Party) -> tuple[int, int, int]:
    funds = queries.funds(owner.id, "CNY")
    return funds.balance_minor, funds.held_minor, funds.available_minor


def test_the_wallet_of_the_story_step_by_step(lab: Party) -> None:
    top_up(lab, 600_000)
    assert figures(lab) == (600_000, 0, 600_000)
    held = hold(lab, 513_888)
    assert figures(lab) == (600_000, 513_888, 86_112)
    ledger.change_hold(held.id, by_minor=-123_333, now=NOW)
    assert figures(lab) == (600_000, 390_555, 209_445)
    invoice(lab, 392_500, captures=(Capture(held.id, 390_555),), extras_minor=1_945)
    check_deferred()
    assert figures(lab) == (207_500, 0, 207_500)
    held.refresh_from_db()
    assert held.status is HoldStatus.CLOSED
    assert held.closed_at == NOW
    assert list(held.events.order_by("n").values_list("n", "kind", "amount_minor")) == [
        (1, "placed", 513_888),
        (2, "shrunk", 123_333),
        (3, "captured", 390_555),
    ]


def test_a_hold_beyond_the_funds_is_refused_with_both_figures(lab: Party) -> None:
    top_up(lab, 100)
    hold(lab, 60)
    with pytest.raises(InsufficientFunds) as refused:
        hold(lab, 41)
    assert (refused.value.needed_minor, refused.value.available_minor) == (41, 40)
    assert figures(lab) == (100, 60, 40)


def test_a_refused_hold_leaves_the_callers_transaction_usable(lab: Party) -> None:
    with transaction.atomic(savepoint=False):
        with pytest.raises(InsufficientFunds):
            hold(lab, 1)
        top_up(lab, 1)
    assert figures(lab) == (1, 0, 1)


def test_an_overdrawn_wallet_blocks_new_holds_until_it_is_topped_up(lab: Party) -> None:
    top_up(lab, 100)
    invoice(lab, 150, extras_minor=50)
    with pytest.raises(WalletOverdrawn) as refused:
        hold(lab, 10)
    assert "overdrawn by 0.50 CNY" in refused.value.detail
    top_up(lab, 60)
    hold(lab, 10)
    assert figures(lab) == (10, 10, 0)


def test_extras_come_from_what_is_available_before_the_wallet_is_overdrawn(lab: Party) -> None:
    top_up(lab, 100)
    first, second = hold(lab, 60), hold(lab, 30)
    invoice(lab, 85, captures=(Capture(first.id, 60),), extras_minor=25)
    check_deferred()
    funds = queries.funds(lab.id, "CNY")
    assert (funds.available_minor, funds.overdraft_minor) == (-15, 15)
    # The other order stays covered: its own capture needs no more than it holds.
    invoice(lab, 30, captures=(Capture(second.id, 30),))
    check_deferred()
    assert queries.funds(lab.id, "CNY").overdraft_minor == 15


def test_releasing_a_hold_lowers_an_overdraft(lab: Party) -> None:
    top_up(lab, 100)
    held = hold(lab, 90)
    invoice(lab, 30, extras_minor=20)
    assert queries.funds(lab.id, "CNY").overdraft_minor == 20
    ledger.change_hold(held.id, by_minor=-10, now=NOW)
    assert queries.funds(lab.id, "CNY").overdraft_minor == 10
    ledger.change_hold(held.id, by_minor=-80, now=NOW)
    funds = queries.funds(lab.id, "CNY")
    assert (funds.overdraft_minor, funds.available_minor) == (0, 70)


def test_a_partial_capture_can_give_back_the_rest_in_the_same_step(lab: Party) -> None:
    top_up(lab, 100)
    held = hold(lab, 100)
    invoice(lab, 70, captures=(Capture(held.id, 70, released_minor=30),))
    check_deferred()
    held.refresh_from_db()
    assert (held.amount_minor, held.captured_minor, held.released_minor) == (0, 70, 30)
    assert held.status is HoldStatus.CLOSED
    assert figures(lab) == (30, 0, 30)


def test_contracts_that_share_a_hold_capture_their_shares_one_after_the_other(lab: Party) -> None:
    top_up(lab, 100)
    held = hold(lab, 100)
    invoice(lab, 50, captures=(Capture(held.id, 50, released_minor=10),))
    held.refresh_from_db()
    assert (held.amount_minor, held.status) == (40, HoldStatus.OPEN)
    invoice(lab, 40, captures=(Capture(held.id, 40),))
    held.refresh_from_db()
    assert held.status is HoldStatus.CLOSED
    assert figures(lab) == (10, 0, 10)


def test_a_hold_cannot_give_more_than_it_has(lab: Party) -> None:
    top_up(lab, 200)
    held = hold(lab, 100)
    with pytest.raises(HoldTooSmall):
        invoice(lab, 150, captures=(Capture(held.id, 101),))
    with pytest.raises(HoldTooSmall):
        invoice(lab, 60, captures=(Capture(held.id, 60, released_minor=41),))
    with pytest.raises(HoldTooSmall):
        ledger.change_hold(held.id, by_minor=-101, now=NOW)
    assert figures(lab) == (200, 100, 100)


def test_a_hold_grows_within_the_funds(lab: Party) -> None:
    top_up(lab, 100)
    held = hold(lab, 60)
    grown = ledger.change_hold(held.id, by_minor=40, now=NOW)
    assert (grown.amount_minor, grown.original_minor, grown.grown_minor) == (100, 60, 40)
    with pytest.raises(InsufficientFunds):
        ledger.change_hold(held.id, by_minor=1, now=NOW)


def test_changing_a_hold_by_nothing_writes_nothing(lab: Party) -> None:
    top_up(lab, 100)
    held = hold(lab, 60)
    assert ledger.change_hold(held.id, by_minor=0, now=NOW).event_count == 1


def test_a_closed_hold_stays_closed(lab: Party) -> None:
    top_up(lab, 100)
    held = hold(lab, 60)
    closed = ledger.change_hold(held.id, by_minor=-60, now=NOW)
    assert (closed.status, closed.closed_at, closed.event_count) == (HoldStatus.CLOSED, NOW, 2)
    for change in (10, -10):
        with pytest.raises(HoldTooSmall):
            ledger.change_hold(held.id, by_minor=change, now=NOW)


def test_many_holds_are_given_back_at_once_in_part_and_whole(lab: Party) -> None:
    top_up(lab, 200)
    first, second, third = hold(lab, 60), hold(lab, 50), hold(lab, 40)
    ledger.give_back({first.id: 10, second.id: 50, third.id: 0}, now=NOW)
    for held in (first, second, third):
        held.refresh_from_db()
    assert [held.amount_minor for held in (first, second, third)] == [50, 0, 40]
    assert [held.closed_at for held in (first, second, third)] == [None, NOW, None]
    assert third.event_count == 1
    assert figures(lab) == (200, 90, 110)


def test_giving_back_more_than_one_of_many_holds_has_gives_nothing_back(lab: Party) -> None:
    top_up(lab, 200)
    first, second = hold(lab, 60), hold(lab, 50)
    with pytest.raises(HoldTooSmall):
        ledger.give_back({first.id: 10, second.id: 51}, now=NOW)
    with pytest.raises(NoSuchHold):
        ledger.give_back({first.id: 10, ids.new_id(): 1}, now=NOW)
    assert figures(lab) == (200, 110, 90)


def test_an_order_holds_funds_once(lab: Party) -> None:
    top_up(lab, 100)
    order = source("order", "fill")
    ledger.place_hold(lab.id, 10, currency="CNY", source=order, project_id=lab.project_id, now=NOW)
    with pytest.raises(AlreadyHeld), transaction.atomic():
        ledger.place_hold(lab.id, 10, currency="CNY", source=order, project_id=lab.project_id, now=NOW)


def test_a_hold_that_does_not_exist_is_not_found() -> None:
    with pytest.raises(NoSuchHold):
        ledger.change_hold(ids.new_id(), by_minor=1, now=NOW)


def test_a_capture_of_a_hold_that_does_not_exist_is_not_found(lab: Party) -> None:
    top_up(lab, 100)
    with pytest.raises(NoSuchHold):
        invoice(lab, 10, captures=(Capture(ids.new_id(), 10),))
