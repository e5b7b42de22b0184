"""Reads of top-ups and bank receipts."""

from collections.abc import Collection, Sequence
from uuid import UUID

from django.db.models import Q, QuerySet

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


def locked_top_ups_among(
    references: Collection[str], *, organisation_ids: Collection[UUID], amounts_minor: Collection[int], currency: str
) -> list[TopUp]:
    """Return the awaiting top-ups of these amounts that many movements may confirm, locked in the order of their ids.

    Those with one of these references, and all of these organisations and of those whose reference is quoted.
    """
    waiting = TopUp.objects.filter(status=TopUpStatus.AWAITING, currency=currency, amount_minor__in=set(amounts_minor))
    quoted = set(waiting.filter(reference__in=set(references)).values_list("organisation_id", flat=True))
    wanted = Q(reference__in=set(references)) | Q(organisation_id__in=quoted.union(organisation_ids))
    return list(waiting.filter(wanted).select_for_update(no_key=True).order_by("id"))


def receipts_known_as(bank_references: Collection[str]) -> list[BankReceipt]:
    """Return the receipts with these ids of the bank, with what they belong to."""
    return list(BankReceipt.objects.filter(bank_reference__in=set(bank_references)).select_related("top_up"))


def locked_receipts(receipt_ids: Collection[UUID]) -> list[BankReceipt]:
    """Return receipts locked for change, in the order of their ids."""
    rows = BankReceipt.objects.filter(id__in=set(receipt_ids)).select_related("top_up")
    return list(rows.select_for_update(no_key=True, of=("self",)).order_by("id"))
