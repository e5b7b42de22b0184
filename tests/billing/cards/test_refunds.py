"""Refunds leave the wallet when they are sent, are never more than was captured, and take two people above a limit."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from billing.cards import disputes, queries, refunds
from billing.cards.errors import NotRefundable, OwnRefund, RefundMoveRefused, RefundTooLarge
from billing.cards.models import CardDispute, CardPayment, CardRefund, RefundPolicy
from billing.cards.rules import DisputeStatus, RefundStatus
from billing.gateway.errors import OutcomeUnknown
from billing.ledger.errors import InsufficientFunds
from catalog.measures.money import Money
from tests.billing.cards import cast
from tests.billing.cards.cast import Cast
from tests.billing.ledger.books import NOW, check_deferred, hold
from tests.stripe.server import Wire

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> Cast:
    return cast.make()


def asked(people: Cast, payment: CardPayment, amount_minor: int) -> CardRefund:
    return refunds.request(people.clerk, payment.id, Money(amount_minor, "CNY"), reason="not needed", now=NOW)


def test_a_small_refund_is_sent_at_once_and_arrives(people: Cast, stripe_wire: Wire) -> None:
    payment = cast.paid(people, stripe_wire)
    refund = refunds.push(asked(people, payment, 20_000).id, now=NOW)
    check_deferred()
    assert (refund.status, cast.figures(people)) == (RefundStatus.SENT, (30_000, 30_000, 0))
    stripe_wire.simulator.finish_refund(refund.stripe_id)
    assert refunds.refresh_by_stripe_id(refund.stripe_id, now=NOW)
    refund.refresh_from_db()
    assert refund.status == RefundStatus.SUCCEEDED


def test_a_refund_that_comes_back_is_in_the_wallet_again(people: Cast, stripe_wire: Wire) -> None:
    payment = cast.paid(people, stripe_wire)
    refund = refunds.push(asked(people, payment, 20_000).id, now=NOW)
    stripe_wire.simulator.finish_refund(refund.stripe_id, fails=True)
    for _ in range(2):
        refunds.refresh_by_stripe_id(refund.stripe_id, now=NOW)
    check_deferred()
    refund.refresh_from_db()
    payment.refresh_from_db()
    assert (refund.status, refund.failure) == (RefundStatus.FAILED, "expired_or_canceled_card")
    assert (cast.figures(people), payment.refunded_minor) == ((50_000, 50_000, 0), 0)


def test_above_the_limit_a_colleague_must_agree(people: Cast, stripe_wire: Wire) -> None:
    payment = cast.paid(people, stripe_wire, 500_000)
    refund = asked(people, payment, 100_001)
    assert (refund.status, cast.figures(people)[0]) == (RefundStatus.REQUESTED, 500_000)
    with pytest.raises(OwnRefund):
        refunds.approve(people.clerk, refund.id, now=NOW)
    refund = refunds.approve(people.approver, refund.id, now=NOW)
    assert (refund.status, cast.figures(people)[0]) == (RefundStatus.SENT, 399_999)
    with pytest.raises(RefundMoveRefused):
        refunds.approve(people.approver, refund.id, now=NOW)


def test_the_limit_is_that_of_the_day_and_a_refund_keeps_the_one_it_was_asked_under(
    people: Cast, stripe_wire: Wire
) -> None:
    payment = cast.paid(people, stripe_wire, 500_000)
    before = asked(people, payment, 100_001)
    RefundPolicy.objects.create(currency="CNY", alone_up_to_minor=200_000, effective_from=NOW)
    after = asked(people, payment, 100_001)
    assert [(row.status, row.alone_up_to_minor) for row in (before, after)] == [
        (RefundStatus.REQUESTED, 100_000), (RefundStatus.SENT, 200_000),
    ]  # fmt: skip
    assert queries.refund_alone_up_to_minor("CNY", now=NOW - timedelta(days=1)) == 100_000
    assert queries.refund_alone_up_to_minor("USD", now=NOW) == 0


def test_the_database_wants_two_people_too(people: Cast, stripe_wire: Wire) -> None:
    refund = asked(people, cast.paid(people, stripe_wire, 500_000), 100_001)
    refund = refunds.approve(people.approver, refund.id, now=NOW)
    with pytest.raises(IntegrityError, match="refund_above_the_limit_takes_two"), transaction.atomic():
        CardRefund.objects.filter(id=refund.id).update(approved_by=refund.requested_by_id)


def test_a_declined_refund_gives_its_room_back(people: Cast, stripe_wire: Wire) -> None:
    payment = cast.paid(people, stripe_wire, 500_000)
    refunds.decline(people.approver, asked(people, payment, 500_000).id, now=NOW)
    assert asked(people, payment, 500_000).status == RefundStatus.REQUESTED


def test_no_more_goes_back_than_was_captured(people: Cast, stripe_wire: Wire) -> None:
    payment = cast.paid(people, stripe_wire)
    asked(people, payment, 30_000)
    with pytest.raises(RefundTooLarge):
        asked(people, payment, 20_001)
    with pytest.raises(IntegrityError, match="card_payment_refunded_within_captured"), transaction.atomic():
        CardPayment.objects.filter(id=payment.id).update(refunded_minor=50_001)


def test_what_is_spent_or_not_paid_does_not_go_back(people: Cast, stripe_wire: Wire) -> None:
    with pytest.raises(NotRefundable, match="open"):
        asked(people, cast.opened(people), 1)
    payment = cast.paid(people, stripe_wire)
    hold(people.lab, 40_000)
    with pytest.raises(InsufficientFunds):
        asked(people, payment, 10_001)


def test_a_refund_whose_answer_is_lost_is_sent_once(people: Cast, stripe_wire: Wire) -> None:
    refund = asked(people, cast.paid(people, stripe_wire), 20_000)
    stripe_wire.fault("/v1/refunds", "lost_answer")
    with pytest.raises(OutcomeUnknown):
        refunds.push(refund.id, now=NOW)
    assert refunds.push(refund.id, now=NOW).status == RefundStatus.SENT
    assert len(stripe_wire.simulator.of("refund")) == 1


def test_a_dispute_is_a_loss_until_it_is_won(people: Cast, stripe_wire: Wire) -> None:
    payment = cast.paid(people, stripe_wire)
    dispute = stripe_wire.simulator.open_dispute(payment.charge_id)
    for _ in range(2):
        assert disputes.refresh(dispute["id"], now=NOW)
    assert cast.figures(people) == (50_000, 0, 50_000)
    stripe_wire.simulator.close_dispute(dispute["id"], won=True)
    for _ in range(2):
        disputes.refresh(dispute["id"], now=NOW)
    check_deferred()
    assert cast.figures(people) == (50_000, 50_000, 0)
    assert CardDispute.objects.get().status == DisputeStatus.WON


def test_a_lost_dispute_stays_a_loss_and_an_inquiry_is_none(people: Cast, stripe_wire: Wire) -> None:
    payment = cast.paid(people, stripe_wire)
    dispute = stripe_wire.simulator.open_dispute(payment.charge_id)
    dispute["status"] = "warning_needs_response"
    disputes.refresh(dispute["id"], now=NOW)
    assert not CardDispute.objects.exists()
    stripe_wire.simulator.close_dispute(dispute["id"], won=False)
    disputes.refresh(dispute["id"], now=NOW)
    assert cast.figures(people) == (50_000, 0, 50_000)
    assert CardDispute.objects.get().status == DisputeStatus.LOST


def test_a_dispute_that_nobody_told_of_is_found(people: Cast, stripe_wire: Wire) -> None:
    payment = cast.paid(people, stripe_wire)
    stripe_wire.simulator.open_dispute(payment.charge_id)
    assert disputes.discover(since=NOW, now=NOW) == 1
    assert cast.figures(people) == (50_000, 0, 50_000)
