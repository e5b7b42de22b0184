"""Reads of what the exchange owes its providers."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Min, Q, QuerySet, Sum

from accounts.actors.actor import Actor, Capability
from billing.ledger.chart import Code
from billing.ledger.models import Account, LedgerTransaction
from billing.payouts.errors import NoSuchPayout, NoSuchTransferFile
from billing.payouts.models import Payout, PayoutDestination, PayoutPolicy, StatementRelease, TransferFile

_CODES = (Code.PAYABLE_PENDING, Code.PAYABLE_AVAILABLE, Code.PROVIDER_RESERVE)


@dataclass(frozen=True)
class Payable:
    """What is owed to one provider in one currency, in minor units; negative when the provider owes."""

    organisation_id: UUID
    organisation_name: str
    currency: str
    pending_minor: int  # in its dispute window
    available_minor: int  # may be paid out
    reserved_minor: int  # kept back for a time
    next_release_at: datetime | None


def payable(organisation_id: UUID, currency: str) -> Payable | None:
    """Return what is owed to a provider in a currency; None when nothing ever was."""
    found = _payables(Q(organisation_id=organisation_id, currency=currency))
    return found[0] if found else None


def visible_payables(actor: Actor) -> list[Payable]:
    """Return what is owed: to every provider for those who read the books, else to the actor's organisation."""
    if actor.can(Capability.VIEW_BOOKS):
        return _payables(Q())
    actor.require(Capability.VIEW_SELLING)
    return _payables(Q(organisation_id=actor.organisation()))


def _payables(condition: Q) -> list[Payable]:
    sums = (
        Account.objects.filter(condition, code__in=_CODES)
        .values("organisation_id", "organisation__name", "currency")
        .annotate(
            pending=Sum("balance_minor", filter=Q(code=Code.PAYABLE_PENDING), default=0),
            available=Sum("balance_minor", filter=Q(code=Code.PAYABLE_AVAILABLE), default=0),
            reserved=Sum("balance_minor", filter=Q(code=Code.PROVIDER_RESERVE), default=0),
        )
        .order_by("organisation__name", "organisation_id", "currency")
    )
    waiting = (
        StatementRelease.objects.filter(condition, released_at__isnull=True)
        .values("organisation_id", "currency")
        .annotate(next_at=Min("due_at"))
    )
    next_at = {(row["organisation_id"], row["currency"]): row["next_at"] for row in waiting}
    return [
        Payable(
            organisation_id=row["organisation_id"],
            organisation_name=row["organisation__name"],
            currency=row["currency"],
            pending_minor=-row["pending"],
            available_minor=-row["available"],
            reserved_minor=-row["reserved"],
            next_release_at=next_at.get((row["organisation_id"], row["currency"])),
        )
        for row in sums
    ]


def policy(organisation_id: UUID, currency: str, *, now: datetime) -> PayoutPolicy:
    """Return how a provider is paid: its own policy of this currency, else everybody's, else that of CNY."""
    in_force = PayoutPolicy.objects.filter(effective_from__lte=now)
    own = in_force.filter(organisation_id=organisation_id, currency=currency)
    general = in_force.filter(organisation__isnull=True)
    for rows in (own, general.filter(currency=currency), general.filter(currency="CNY")):
        found = rows.order_by("-effective_from").first()
        if found is not None:
            return found
    raise AssertionError("the migrations load a policy for everybody")


def destination(organisation_id: UUID) -> PayoutDestination | None:
    """Return where a provider's money goes."""
    return PayoutDestination.objects.filter(organisation_id=organisation_id, replaced_at__isnull=True).first()


def visible_payouts(actor: Actor) -> QuerySet[Payout]:
    """Return the payouts an actor may see: all with the books, else those to its own organisation."""
    payouts = Payout.objects.select_related("organisation", "destination")
    if actor.can(Capability.VIEW_BOOKS):
        return payouts
    actor.require(Capability.VIEW_SELLING)
    return payouts.filter(organisation_id=actor.organisation())


def payout(actor: Actor, payout_id: UUID) -> Payout:
    """Return one payout; raises NoSuchPayout for one that is not the actor's to see."""
    rows = visible_payouts(actor).select_related("made_due_by", "first_approved_by", "approved_by", "sent_by", "file")
    found = with_accrued(rows).filter(id=payout_id).first()
    if found is None:
        raise NoSuchPayout
    return found


@dataclass(frozen=True)
class PaidItem:
    """One line of a payout's list: which statement, which part of it, and how much of it was kept back."""

    statement_id: UUID
    statement_number: str
    part: str
    statement_minor: int
    amount_minor: int
    currency: str


def items(payout: Payout) -> list[PaidItem]:
    """Return what a payout pays; for a failed one what it would have paid."""
    rows = list(payout.items.select_related("release"))
    issued = LedgerTransaction.objects.filter(
        source_type="statement", purpose="issue", source_id__in=[row.release.statement_id for row in rows]
    )
    # The posting of a statement carries its number: documents are a room above this one.
    numbers = dict(issued.values_list("source_id", "memo"))
    return [
        PaidItem(
            statement_id=row.release.statement_id,
            statement_number=numbers.get(row.release.statement_id, ""),
            part=row.part,
            statement_minor=row.release.amount_minor,
            amount_minor=row.amount_minor,
            currency=payout.currency,
        )
        for row in rows
    ]


def with_accrued(payouts: QuerySet[Payout]) -> QuerySet[Payout]:
    """Annotate `accrued_minor`: what a payout has taken in so far, or pays once it is due."""
    return payouts.annotate(
        accrued_minor=Sum("items__amount_minor", filter=Q(items__given_on_at__isnull=True), default=0)
    )


def visible_files(actor: Actor) -> QuerySet[TransferFile]:
    """Return the files for the bank, for those who operate the books."""
    actor.require(Capability.OPERATE_BOOKS)
    return TransferFile.objects.select_related("created_by")


def transfer_file(actor: Actor, file_id: UUID) -> TransferFile:
    """Return one file; raises NoSuchTransferFile."""
    found = visible_files(actor).filter(id=file_id).first()
    if found is None:
        raise NoSuchTransferFile
    return found
