"""Reads of fapiao, scoped to who asks."""

from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from accounts.actors.actor import Actor, Capability
from billing.fapiao import reds, rules
from billing.fapiao.errors import NoSuchFapiao
from billing.fapiao.models import Fapiao, FapiaoPart, FapiaoTitle
from billing.fapiao.rules import WAITING
from billing.invoices.models import Invoice
from billing.invoices.rules import InvoiceKind, InvoiceStatus


def visible_to(actor: Actor) -> QuerySet[Fapiao]:
    """The fapiao of the actor's organisation; all to those who read the books."""
    actor.require(Capability.VIEW_BUYING, Capability.VIEW_BOOKS)
    found = Fapiao.objects.select_related("organisation", "title", "red_of", "call")
    return found if actor.can(Capability.VIEW_BOOKS) else found.filter(organisation_id=actor.organisation())


def one(actor: Actor, fapiao_id: UUID) -> Fapiao:
    """Return a fapiao with its documents, taxes and red letters. Raises NoSuchFapiao."""
    parts = FapiaoPart.objects.select_related("document").order_by("id")
    found = visible_to(actor).prefetch_related(Prefetch("parts", parts), "taxes", "red_letters")
    fapiao = found.filter(id=fapiao_id).first()
    if fapiao is None:
        raise NoSuchFapiao
    return fapiao


def titles(actor: Actor) -> QuerySet[FapiaoTitle]:
    """The titles of the actor's organisation; all to those who read the books."""
    actor.require(Capability.VIEW_BUYING, Capability.VIEW_BOOKS)
    found = FapiaoTitle.objects.all()
    return found if actor.can(Capability.VIEW_BOOKS) else found.filter(organisation_id=actor.organisation())


def outstanding(actor: Actor) -> QuerySet[Invoice]:
    """Documents whose fapiao was asked for and is not issued, and credit notes that lack their red letter."""
    actor.require(Capability.VIEW_BOOKS)
    waiting = FapiaoPart.objects.filter(document=OuterRef("pk"), fapiao__status__in=list(WAITING))
    lacking = reds.lacking().filter(pk=OuterRef("pk"))
    found = Invoice.objects.filter(Q(Exists(waiting)) | Q(Exists(lacking)))
    return found.select_related("organisation", "corrects")


def requestable(actor: Actor) -> QuerySet[Invoice]:
    """The invoices of the actor's organisation that are on no fapiao yet, as far as one query can say."""
    live = FapiaoPart.objects.filter(document=OuterRef("pk"), is_live=True)
    wanted = Invoice.objects.filter(
        organisation_id=actor.organisation(),
        kind=InvoiceKind.CUSTOMER,
        currency=rules.CURRENCY,
        status__in=[InvoiceStatus.ISSUED, InvoiceStatus.PAST_DUE, InvoiceStatus.PAID],
        total_minor__gt=0,
    )
    return wanted.filter(~Exists(live)).order_by("-id")
