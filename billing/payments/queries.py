"""Reads of top-ups and bank receipts."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet

from accounts.actors.actor import Actor, Capability
from billing.payments.errors import NoSuchReceipt, NoSuchTopUp
from billing.payments.models import BankReceipt, TopUp
from billing.payments.rules import TopUpStatus
from catalog.measures.money import Money


def visible_top_ups(actor: Actor) -> QuerySet[TopUp]:
    """Return the top-ups an actor may see: all of them with the books, else those of its own organisation."""
    top_ups = TopUp.objects.select_related("organisation", "receipt")
    if actor.can(Capability.VIEW_BOOKS):
        return top_ups
    actor.require(Capability.VIEW_BUYING)
    return top_ups.filter(organisation_id=actor.organisation())


def visible_receipts(actor: Actor) -> QuerySet[BankReceipt]:
    """Return the bank's receipts, which are for those who read the books."""
    actor.require(Capability.VIEW_BOOKS)
    return BankReceipt.objects.select_related("top_up", "top_up__organisation")


def top_up(actor: Actor, top_up_id: UUID) -> TopUp:
    """Return one top-up; raises NoSuchTopUp for one that is not the actor's to see."""
    found = visible_top_ups(actor).filter(id=top_up_id).first()
    if found is None:
        raise NoSuchTopUp
    return found


def receipt(actor: Actor, receipt_id: UUID) -> BankReceipt:
    """Return one bank receipt; raises NoSuchReceipt."""
    found = visible_receipts(actor).filter(id=receipt_id).first()
    if found is None:
        raise NoSuchReceipt
    return found


def awaiting_like(actor: Actor, receipt: BankReceipt) -> QuerySet[TopUp]:
    """Return the top-ups that wait for exactly a receipt's amount, oldest first."""
    waiting = visible_top_ups(actor).filter(status=TopUpStatus.AWAITING)
    return waiting.filter(amount_minor=receipt.amount_minor, currency=receipt.currency).order_by("id")


def awaiting_parts_of(actor: Actor, receipt: BankReceipt) -> QuerySet[TopUp]:
    """Return the top-ups that wait for less than a receipt's amount: what it may be split over, oldest first."""
    waiting = visible_top_ups(actor).filter(status=TopUpStatus.AWAITING)
    return waiting.filter(amount_minor__lt=receipt.amount_minor, currency=receipt.currency).order_by("id")


def locked_top_up(actor: Actor, top_up_id: UUID) -> TopUp:
    """Return one top-up locked for change; raises NoSuchTopUp for one that is not the actor's to see."""
    top_ups = TopUp.objects.select_for_update(no_key=True)
    if not actor.can(Capability.VIEW_BOOKS):
        top_ups = top_ups.filter(organisation_id=actor.organisation())
    found = top_ups.filter(id=top_up_id).first()
    if found is None:
        raise NoSuchTopUp
    return found


def locked_top_ups_fitting(references: Sequence[str], amount: Money) -> list[TopUp]:
    """Return the awaiting top-ups with one of these references and exactly this amount, locked for change."""
    return list(
        TopUp.objects.select_for_update(no_key=True)
        .filter(
            reference__in=references,
            status=TopUpStatus.AWAITING,
            amount_minor=amount.amount_minor,
            currency=amount.currency,
        )
        .order_by("id")
    )
