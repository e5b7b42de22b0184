"""Giving a round up: one person asks, another confirms, and nobody does both."""

from uuid import UUID

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.audit.models import AuditRecord
from accounts.events.models import Event
from accounts.foundation.errors import Forbidden
from accounts.organisations.rules import Role
from exchange.auctions import clear, gates, giving_up
from exchange.orders.models import Order
from exchange.orders.rules import OrderStatus
from exchange.rounds import services as rounds
from exchange.rounds.errors import (
    RoundMoveRefused,
    VoidAsked,
    VoidNeedsPerson,
    VoidNeedsReason,
    VoidNotAsked,
    VoidOfOneself,
)
from exchange.rounds.models import Round, RoundVoidRequest
from exchange.rounds.rules import RoundStatus, VoidState
from tests.exchange import cast
from tests.exchange.cast import GATE, NOW, Story
from tests.pages.visitors import signed_in

REASON = "The site is on fire."


@pytest.fixture
def frozen(story: Story) -> UUID:
    """A round whose book is frozen, with an order in it."""
    cast.place_offer(story, story.huailai, story.huailai_cards, "8.00")
    cast.place_order(story.beichen, cast.block(story, "12.50"))
    gates.close_due(now=GATE)
    return Round.objects.get(scheduled_at=GATE).id


def status(round_id: UUID) -> str:
    return Round.objects.get(id=round_id).status


def test_a_round_is_void_when_another_person_confirms_and_both_are_in_the_trail(frozen: UUID) -> None:
    first, second = cast.two_operators()
    giving_up.ask(first, frozen, reason=f" {REASON} ", now=GATE)
    assert status(frozen) == RoundStatus.GATED
    assert Event.objects.filter(type="round.void_asked", subject_id=frozen).exists()
    giving_up.confirm(second, frozen, now=GATE)
    voided = Round.objects.get(id=frozen)
    assert (voided.status, voided.void_reason) == (RoundStatus.VOID, REASON)
    assert Order.objects.get().status == OrderStatus.OPEN
    asked = RoundVoidRequest.objects.get()
    assert (asked.state, asked.requested_by_id, asked.decided_by_id) == ("confirmed", first.user_id, second.user_id)
    said = list(AuditRecord.objects.filter(subject_id=frozen, action__startswith="round.void").values_list("action"))
    assert sorted(said) == [("round.void",), ("round.void_ask",)]


def test_who_asks_does_not_confirm_and_a_key_or_a_member_does_neither(frozen: UUID, story: Story) -> None:
    first, second = cast.two_operators()
    with pytest.raises(VoidNeedsReason):
        giving_up.ask(first, frozen, reason=" ", now=GATE)
    for verb in (giving_up.confirm, giving_up.decline):
        with pytest.raises(VoidNotAsked):
            verb(second, frozen, now=GATE)
    giving_up.ask(first, frozen, reason=REASON, now=GATE)
    with pytest.raises(VoidOfOneself):
        giving_up.confirm(first, frozen, now=GATE)
    with pytest.raises(VoidAsked):
        giving_up.ask(second, frozen, reason="me too", now=GATE)
    with pytest.raises(VoidNeedsPerson):
        giving_up.confirm(story.operator, frozen, now=GATE)
    with pytest.raises(Forbidden):
        giving_up.confirm(story.beichen, frozen, now=GATE)
    assert status(frozen) == RoundStatus.GATED


def test_a_wish_is_declined_or_taken_back_and_can_be_asked_again(frozen: UUID) -> None:
    first, second = cast.two_operators()
    for person in (second, first):
        giving_up.ask(first, frozen, reason=REASON, now=GATE)
        assert giving_up.decline(person, frozen, now=GATE).state == VoidState.DECLINED
    assert status(frozen) == RoundStatus.GATED
    with pytest.raises(VoidNotAsked):
        giving_up.confirm(second, frozen, now=GATE)


def test_a_round_that_was_decided_meanwhile_stays(frozen: UUID) -> None:
    first, second = cast.two_operators()
    giving_up.ask(first, frozen, reason=REASON, now=GATE)
    clear.clear_round(str(frozen), {}, renew=lambda: None)
    with pytest.raises(RoundMoveRefused, match="cleared cannot become void"):
        giving_up.confirm(second, frozen, now=GATE)
    assert RoundVoidRequest.objects.get().state == VoidState.ASKED


def test_the_database_refuses_what_one_person_does_alone(frozen: UUID, story: Story) -> None:
    first, _ = cast.two_operators()
    with pytest.raises(IntegrityError, match="without two people"), transaction.atomic():
        gates.void_round(story.operator, frozen, reason=REASON, now=GATE)
    rounds.ensure_round(story.market, after=GATE, now=GATE)
    coming = Round.objects.filter(status=RoundStatus.OPEN).latest("scheduled_at")
    with pytest.raises(IntegrityError, match="without two people"), transaction.atomic():
        gates.void_round(story.operator, coming.id, reason=REASON, now=NOW)
    asked = giving_up.ask(first, frozen, reason=REASON, now=GATE)
    with pytest.raises(IntegrityError, match="void_request_takes_two_people"), transaction.atomic():
        RoundVoidRequest.objects.filter(id=asked.id).update(
            state=VoidState.CONFIRMED, decided_by_id=first.user_id, decided_at=GATE
        )


def test_on_the_page_a_reason_that_cannot_be_stored_or_read_is_refused(story: Story, frozen: UUID) -> None:
    desk = signed_in(story.operator, Role.PLATFORM_ADMIN)
    for reason in ("", " ", "fire\0", "fire\x1b[2J", "f" * 501):
        answer = desk.post(f"/rounds/{Round.objects.get(id=frozen)}/void", {"reason": reason}, follow=True)
        assert (answer.status_code, RoundVoidRequest.objects.count()) == (200, 0), reason
        assert "Say why" in answer.content.decode()


def test_visitors_see_no_form_and_their_post_goes_to_sign_in(frozen: UUID) -> None:
    visitor = Client()
    shown = Round.objects.get(id=frozen)
    page = visitor.get(f"/rounds/{shown}").content.decode()
    assert "Give the round up" not in page
    assert visitor.post(f"/rounds/{shown}/void", {"reason": REASON}).status_code == 302
    assert not RoundVoidRequest.objects.exists()
