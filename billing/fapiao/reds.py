"""Red letters: a credit note on an issued fapiao demands one, and finance asks for one over a mistake.

Rows are locked from the fapiao that is taken back to its red letters, so that two of them never take back the same.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.actors.actor import Actor, Capability
from billing.fapiao import opening
from billing.fapiao.errors import FapiaoMoveRefused, NoSuchFapiao, NothingToReverse, RedLetterWaits
from billing.fapiao.models import Fapiao, FapiaoPart
from billing.fapiao.rules import WAITING, RedCause, Status
from billing.invoices.models import Invoice
from billing.invoices.rules import InvoiceKind, InvoiceStatus


@transaction.atomic
def demand_for_note(actor: Actor, note_id: UUID, *, now: datetime) -> list[Fapiao]:
    """Ask for the red letter that a credit note makes necessary, if its invoice is on an issued fapiao.

    Safe to run twice. While the fapiao is only asked for, the red letter follows once it is issued.
    """
    live = FapiaoPart.objects.filter(is_live=True, document__notes=note_id, fapiao__red_of=None)
    blue_id = live.values_list("fapiao_id", flat=True).first()
    return [] if blue_id is None else demand_missing(actor, locked(blue_id), now=now)


def demand_missing(actor: Actor, blue: Fapiao, *, now: datetime) -> list[Fapiao]:
    """Ask for the red letters that credit notes on an issued fapiao's invoices lack; its row is locked."""
    if blue.status != Status.ISSUED:
        return []
    return [
        opening.open_red(actor, blue, [note], RedCause.CREDIT_NOTE, reason=note.correction_reason, now=now)
        for note in lacking().filter(corrects__fapiao_parts__fapiao=blue).order_by("id")
    ]


def lacking() -> QuerySet[Invoice]:
    """Return the credit notes on invoices of issued fapiao that no red letter is over yet.

    What an open red letter over a mistake will take off anyway needs none.
    """
    own = FapiaoPart.objects.filter(document=OuterRef("pk"), is_live=True)
    original = FapiaoPart.objects.filter(
        document=OuterRef("corrects"), is_live=True, fapiao__red_of=None, fapiao__status=Status.ISSUED
    )
    taken_off = FapiaoPart.objects.filter(
        document=OuterRef("corrects"), fapiao__red_cause=RedCause.MISTAKE, fapiao__status__in=list(WAITING)
    )
    notes = Invoice.objects.filter(kind=InvoiceKind.CREDIT_NOTE, corrects__isnull=False)
    return notes.exclude(status=InvoiceStatus.DRAFT).filter(Exists(original), ~Exists(own), ~Exists(taken_off))


@transaction.atomic
def ask_again(actor: Actor, fapiao_id: UUID, *, now: datetime) -> Fapiao:
    """Ask once more for the red letters of credit notes that were refused. Raises NoSuchFapiao, NothingToReverse."""
    actor.require(Capability.OPERATE_BOOKS)
    blue = locked(fapiao_id)
    if not demand_missing(actor, blue, now=now):
        raise NothingToReverse
    return blue


@transaction.atomic
def reverse(
    actor: Actor, fapiao_id: UUID, *, reason: str, invoice_ids: Collection[UUID] | None = None, now: datetime
) -> Fapiao:
    """Ask for a red letter over a mistake: of some of a fapiao's invoices, or without them of all that is left.

    When it is issued, these invoices may be asked for anew. Raises NoSuchFapiao, FapiaoMoveRefused, RedLetterWaits,
    NothingToReverse.
    """
    actor.require(Capability.OPERATE_BOOKS)
    blue = locked(fapiao_id)
    if blue.red_of_id is not None or blue.status != Status.ISSUED:
        raise FapiaoMoveRefused("a red letter" if blue.red_of_id is not None else blue.status, "reversed")
    if blue.red_letters.filter(status__in=list(WAITING)).exists():
        raise RedLetterWaits
    parts = live_parts(blue)
    if invoice_ids is not None:
        parts = parts.filter(Q(document__in=invoice_ids) | Q(document__corrects__in=invoice_ids))
    documents = [part.document for part in parts.select_related("document")]
    if sum(document.total_minor for document in documents) <= 0:
        raise NothingToReverse
    return opening.open_red(actor, blue, documents, RedCause.MISTAKE, reason=reason, now=now)


def live_parts(blue: Fapiao) -> QuerySet[FapiaoPart]:
    """Return what is on a fapiao and on its red letters, and nowhere else."""
    return FapiaoPart.objects.filter(Q(fapiao=blue) | Q(fapiao__red_of=blue), is_live=True).order_by("id")


def taken_back(red: Fapiao) -> None:
    """Note on the fapiao of a red letter that it is issued; both rows are locked."""
    blue = red.red_of
    assert blue is not None, "a red letter is of one"
    blue.reversed_minor -= red.total_minor
    free = live_parts(blue)
    if blue.reversed_minor == blue.total_minor:
        blue.status = Status.REVERSED
    else:
        mistaken = red.parts.values_list("document_id", flat=True) if red.red_cause == RedCause.MISTAKE else []
        free = free.filter(document__in=list(mistaken))
    blue.save(update_fields=["reversed_minor", "status"])
    free.update(is_live=False)


def locked(fapiao_id: UUID) -> Fapiao:
    """Return a fapiao, locked after the one that it takes back. Raises NoSuchFapiao."""
    found = Fapiao.objects.filter(id=fapiao_id).values_list("red_of_id", flat=True).first()
    blue = Fapiao.objects.select_for_update(no_key=True).filter(id=found).first() if found else None
    own = Fapiao.objects.select_for_update(no_key=True, of=("self",)).select_related("title")
    fapiao = own.filter(id=fapiao_id).first()
    if fapiao is None:
        raise NoSuchFapiao
    if blue is not None:
        fapiao.red_of = blue
    return fapiao
