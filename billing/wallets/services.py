"""Budgets of projects, credit limits by two people, and warnings before a wallet is empty."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q, Sum

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation.failures import Failures
from accounts.organisations.models import Organisation
from accounts.projects.models import Project
from billing.budgets.models import ProjectBudget
from billing.invoices.models import Invoice
from billing.invoices.rules import InvoiceStatus, Side
from billing.ledger import services as ledger
from billing.ledger.models import Account, Hold
from billing.wallets import extras as extras_of
from billing.wallets import rules
from billing.wallets.errors import (
    BudgetBelowCommitted,
    ChangeDecided,
    ChangeWaits,
    CreditInUse,
    NoSuchChange,
    NoSuchOrganisation,
    NoSuchProject,
    OwnChange,
)
from billing.wallets.models import CreditLimitChange, WalletThreshold
from billing.wallets.rules import ChangeStatus
from catalog.measures.money import Money, format_minor

_WATCH: Final = Actor.system("wallets")

# --- Budgets -----------------------------------------------------------------------------------


@transaction.atomic
def set_budget(actor: Actor, project_id: UUID, limit: Money, *, now: datetime) -> ProjectBudget:
    """Say what a project of the actor's organisation may spend, all that it has spent counted.

    From then on no order of it commits more. Raises NoSuchProject and BudgetBelowCommitted.
    """
    actor.require(Capability.MANAGE_MEMBERS)
    project = Project.objects.filter(id=project_id, organisation_id=actor.organisation()).first()
    if project is None:
        raise NoSuchProject
    # Every step of a hold locks its wallet first: while we have it, the sums stand still.
    ledger.locked_wallet(project.organisation_id, currency=limit.currency, now=now)
    before = ProjectBudget.objects.filter(project=project, currency=limit.currency).first()
    held, captured, extras, credited = _committed(project_id, limit.currency)
    committed = held + captured + extras - credited
    if limit.amount_minor < committed:
        raise BudgetBelowCommitted(wanted=limit, committed=Money(committed, limit.currency))
    budget, _ = ProjectBudget.objects.update_or_create(
        project=project,
        currency=limit.currency,
        defaults={"limit_minor": limit.amount_minor, "overrun_minor": 0, "changed_at": now},
        create_defaults={
            "limit_minor": limit.amount_minor,
            "held_minor": held,
            "captured_minor": captured,
            "extras_minor": extras,
            "credited_minor": credited,
            "changed_at": now,
        },
    )
    audit.record(
        actor,
        "project_budget.set",
        "project",
        project.id,
        None if before is None else {"limit": format_minor(before.limit_minor, before.currency)},
        {"limit": format_minor(limit.amount_minor, limit.currency), "currency": limit.currency},
        now=now,
    )
    return budget


def _committed(project_id: UUID, currency: str) -> tuple[int, int, int, int]:
    """Return what a project's holds hold, was captured of them, what invoices took beside, and what was credited."""
    holds = Hold.objects.filter(project_id=project_id, currency=currency)
    sums = holds.aggregate(held=Sum("amount_minor"), captured=Sum("captured_minor"))
    documents = Invoice.objects.filter(project_id=project_id, currency=currency, side=Side.CUSTOMER).exclude(
        status=InvoiceStatus.DRAFT
    )
    billed = documents.aggregate(
        invoiced=Sum("total_minor", filter=Q(total_minor__gt=0), default=0),
        credited=-Sum("total_minor", filter=Q(total_minor__lt=0), default=0),
    )
    captured = sums["captured"] or 0
    return sums["held"] or 0, captured, max(0, billed["invoiced"] - captured), billed["credited"]


# --- Credit ------------------------------------------------------------------------------------


@transaction.atomic
def propose_credit(
    actor: Actor, organisation_id: UUID, limit: Money, *, reason: str, now: datetime
) -> CreditLimitChange:
    """Propose how far an organisation's wallet may go below zero; a colleague decides.

    Raises ChangeWaits and NoSuchOrganisation.
    """
    actor.require(Capability.OPERATE_BOOKS)
    assert actor.user_id is not None, "a person proposes"
    organisation = Organisation.objects.select_for_update(no_key=True).filter(id=organisation_id).first()
    if organisation is None:
        raise NoSuchOrganisation
    waiting = CreditLimitChange.objects.filter(organisation=organisation, currency=limit.currency)
    if waiting.filter(status=ChangeStatus.PROPOSED).exists():
        raise ChangeWaits
    change = CreditLimitChange.objects.create(
        organisation=organisation,
        currency=limit.currency,
        limit_minor=limit.amount_minor,
        reason=reason,
        status=ChangeStatus.PROPOSED,
        proposed_by_id=actor.user_id,
        created_at=now,
    )
    _note_change(actor, change, None, now=now)
    return change


@transaction.atomic
def decide_credit(actor: Actor, change_id: UUID, *, is_approved: bool, now: datetime) -> CreditLimitChange:
    """Let a proposed limit take effect, or not. Raises NoSuchChange, ChangeDecided, OwnChange and CreditInUse."""
    actor.require(Capability.APPROVE_BOOKS)
    change = CreditLimitChange.objects.select_for_update(no_key=True).filter(id=change_id).first()
    if change is None:
        raise NoSuchChange
    if change.status != ChangeStatus.PROPOSED:
        raise ChangeDecided(change.status)
    if actor.user_id is None or actor.user_id == change.proposed_by_id:
        raise OwnChange
    if is_approved:
        account = ledger.locked_wallet(change.organisation_id, currency=change.currency, now=now)
        used = account.balance_minor + account.held_minor - account.overdraft_minor
        if used > change.limit_minor:
            raise CreditInUse(wanted=Money(change.limit_minor, change.currency), used=Money(used, change.currency))
        ledger.set_credit_limit(account, change.limit_minor)
    change.status = ChangeStatus.APPROVED if is_approved else ChangeStatus.DECLINED
    change.decided_by_id, change.decided_at = actor.user_id, now
    change.save(update_fields=["status", "decided_by", "decided_at"])
    _note_change(actor, change, ChangeStatus.PROPOSED, now=now)
    return change


def _note_change(actor: Actor, change: CreditLimitChange, before: str | None, *, now: datetime) -> None:
    told = {
        "limit": format_minor(change.limit_minor, change.currency),
        "currency": change.currency,
        "status": str(change.status),
    }
    audit.record(
        actor,
        "credit_limit.change",
        "credit_limit_change",
        change.id,
        None if before is None else {"status": str(before)},
        told | {"reason": change.reason},
        now=now,
        organisation_id=change.organisation_id,
    )
    # The customer hears of what counts, not of what is thought about.
    whose = change.organisation_id if change.status == ChangeStatus.APPROVED else None
    events.emit(f"credit_limit.{change.status}", "credit_limit_change", change.id, whose, told, now=now)


# --- Warnings ----------------------------------------------------------------------------------


@transaction.atomic
def set_thresholds(actor: Actor, amounts: Sequence[Money], *, now: datetime) -> list[WalletThreshold]:
    """Have the actor's organisation warned when less than one of these amounts can be spent, in place of those before.

    A threshold that stays keeps whether it has warned.
    """
    actor.require(Capability.TRADE)
    organisation = Organisation.objects.select_for_update(no_key=True).get(id=actor.organisation())
    wanted = {(amount.currency, amount.amount_minor) for amount in amounts}
    assert len(wanted) <= rules.MAX_THRESHOLDS, wanted
    own = WalletThreshold.objects.filter(organisation=organisation)
    kept = {(row.currency, row.below_minor): row for row in own}
    own.filter(id__in=[row.id for key, row in kept.items() if key not in wanted]).delete()
    WalletThreshold.objects.bulk_create(
        WalletThreshold(organisation=organisation, currency=currency, below_minor=minor, is_armed=True)
        for currency, minor in sorted(wanted - set(kept))
    )
    shown = {"thresholds": [f"{format_minor(minor, currency)} {currency}" for currency, minor in sorted(wanted)]}
    audit.record(actor, "wallet_thresholds.set", "organisation", organisation.id, None, shown, now=now)
    return list(own.order_by("currency", "-below_minor"))


def watch(*, now: datetime) -> int:
    """Warn of every wallet that has less to spend than a threshold, once each; returns how many warnings there were.

    What was metered and is not invoiced yet counts as spent.
    A threshold is armed again when there is enough. One that fails keeps no other waiting.
    """
    failures = Failures()
    warned = 0
    for threshold_id in WalletThreshold.objects.order_by("id").values_list("id", flat=True):
        with failures.kept(f"watching {threshold_id}"):
            warned += _look(threshold_id, now=now)
    failures.raise_any()
    return warned


@transaction.atomic
def _look(threshold_id: UUID, *, now: datetime) -> bool:
    row = WalletThreshold.objects.select_for_update(no_key=True, skip_locked=True).filter(id=threshold_id).first()
    if row is None:
        return False
    account = Account.objects.filter(code="2000", organisation_id=row.organisation_id, currency=row.currency).first()
    spendable = 0
    if account is not None:
        spendable = account.credit_limit_minor - account.balance_minor - account.held_minor
    elif row.is_armed:
        return False  # a wallet that was never used is not running out
    # Long before the invoice that takes them: nothing is held for extras.
    extras = extras_of.unbilled_minor(row.organisation_id, row.currency)
    spendable -= extras
    does_fire, is_armed = rules.fires(spendable_minor=spendable, threshold_minor=row.below_minor, is_armed=row.is_armed)
    if does_fire:
        told = {
            "available": format_minor(spendable, row.currency),
            "below": format_minor(row.below_minor, row.currency),
            "not_invoiced": format_minor(extras, row.currency),
            "currency": row.currency,
        }
        events.emit("wallet.low", "organisation", row.organisation_id, row.organisation_id, told, now=now)
        row.warned_at = now
    if is_armed != row.is_armed:
        row.is_armed = is_armed
        row.save(update_fields=["is_armed", "warned_at"])
    return does_fire
