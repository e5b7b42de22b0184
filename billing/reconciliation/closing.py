"""The close of a month: everything that must be in order first, looked at again while postings wait."""

from dataclasses import asdict, dataclass
from datetime import date, datetime

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q

from accounts.actors.actor import Actor, Capability
from accounts.jobs.models import Job
from accounts.jobs.rules import JobState
from billing.invoices.models import BilledCharge, Invoice
from billing.invoices.rules import InvoiceStatus, Side
from billing.journals.models import ManualJournal
from billing.journals.rules import JournalStatus
from billing.ledger.models import LedgerTransaction
from billing.payouts.models import StatementRelease
from billing.periods import queries as periods
from billing.periods import services as period_services
from billing.periods.models import AccountingPeriod
from billing.periods.rules import PeriodStatus, month_of, next_month, spelled, start_of
from billing.rating.models import Charge
from billing.reconciliation import clearing
from billing.reconciliation.errors import PeriodNotReady
from billing.reconciliation.models import Break, ClosingPolicy, ReconciliationRun
from billing.reconciliation.rules import BreakStatus
from billing.usage.models import UsageEvent, UsageReversal
from billing.webhooks.models import StripeEvent
from billing.webhooks.rules import EventState
from catalog.measures.money import Money


@dataclass(frozen=True)
class Check:
    """One line of the checklist: whether it is in order, and a sentence with what was found."""

    code: str
    passes: bool
    found: str


def checklist(actor: Actor, month: date, *, now: datetime) -> list[Check]:
    """Return what the close of a month asks for, each with what is found now; for those who read the books."""
    actor.require(Capability.VIEW_BOOKS)
    starts_at, ends_at = start_of(month), start_of(next_month(month))
    return [
        _is_over(month, ends_at, now),
        _earlier_months(month),
        _reconciled(ends_at, now),
        _breaks(ends_at, now),
        _unrated(ends_at),
        _unbilled(ends_at),
        _drafts(ends_at),
        _releases(ends_at),
        _events(ends_at),
        _journals(starts_at, ends_at),
        _clearing(now),
        _balanced(ends_at),
    ]


@transaction.atomic
def close(actor: Actor, month: date, *, now: datetime) -> AccountingPeriod:
    """Close a month, if its whole checklist passes; closing one that is closed changes nothing.

    Postings wait meanwhile, so nothing comes in between the last look and the close. Raises PeriodNotReady.
    """
    actor.require(Capability.APPROVE_BOOKS)
    period_services.stop_postings()
    closed = AccountingPeriod.objects.filter(month=month, status=PeriodStatus.CLOSED).first()
    if closed is not None:
        return closed
    checks = checklist(actor, month, now=now)
    failing = [(check.code, check.found) for check in checks if not check.passes]
    if failing:
        raise PeriodNotReady(spelled(month), failing)
    return period_services.mark_closed(actor, month, [asdict(check) for check in checks], now=now)


def months(now: datetime) -> list[date]:
    """Return the months with postings, and the present one, newest first."""
    first = LedgerTransaction.objects.order_by("effective_at").values_list("effective_at", flat=True).first()
    found, month = [], month_of(first or now)
    while month <= month_of(now):
        found.append(month)
        month = next_month(month)
    return found[::-1] or [month_of(now)]


def _is_over(month: date, ends_at: datetime, now: datetime) -> Check:
    over = now >= ends_at
    return Check("month_over", over, f"{spelled(month)} is {'over' if over else 'not over yet'}.")


def _earlier_months(month: date) -> Check:
    first = LedgerTransaction.objects.order_by("effective_at").values_list("effective_at", flat=True).first()
    at = month if first is None else month_of(first)
    while at < month:
        if not periods.is_closed(at):
            return Check("earlier_months", passes=False, found=f"{spelled(at)} is still open; close it first.")
        at = next_month(at)
    return Check("earlier_months", passes=True, found="Every earlier month with postings is closed.")


def _reconciled(ends_at: datetime, now: datetime) -> Check:
    last = ReconciliationRun.objects.order_by("-at").values_list("at", flat=True).first()
    # What was posted after the look may hide a difference that was not seen.
    posted = LedgerTransaction.objects.filter(effective_at__lt=ends_at, posted_at__gt=last or ends_at).exists()
    if last is None or last < ends_at:
        return Check("reconciled", passes=False, found="No reconciliation has run since the month ended.")
    if posted:
        return Check("reconciled", passes=False, found="Something was posted since the last reconciliation.")
    return Check("reconciled", passes=True, found="The reconciliation has run since the month's last posting.")


def _breaks(ends_at: datetime, now: datetime) -> Check:
    """Open breaks that began in the month or before, of the threshold or more, or of an amount that nobody knows."""
    policies = ClosingPolicy.objects.filter(effective_from__lte=now).order_by("effective_from")
    thresholds = dict(policies.values_list("currency", "threshold_minor"))
    rows = list(
        Break.objects.filter(status=BreakStatus.OPEN, since__lt=ends_at).values_list("amount_minor", "currency")
    )
    grave = [
        (amount, currency) for amount, currency in rows if amount is None or abs(amount) >= thresholds.get(currency, 0)
    ]
    if grave:
        limits = ", ".join(str(Money(limit, currency)) for currency, limit in sorted(thresholds.items())) or "0"
        return Check(
            "breaks", passes=False, found=f"{len(grave)} breaks of {limits} or more, or of no known amount, are open."
        )
    return Check("breaks", passes=True, found=f"{len(rows)} breaks are open, each below the threshold.")


def _unrated(ends_at: datetime) -> Check:
    charges = Charge.objects.filter(usage_event_id=OuterRef("id"))
    reversals = UsageReversal.objects.filter(reversed_id=OuterRef("id"))
    count = UsageEvent.objects.filter(
        ~Exists(charges), ~Exists(reversals), ends_at__lte=ends_at, quantity__gt=0
    ).count()
    return Check("usage_rated", count == 0, f"{count} reports of usage are not rated.")


def _unbilled(ends_at: datetime) -> Check:
    billed = BilledCharge.objects.filter(charge_id=OuterRef("id"), side=Side.CUSTOMER)
    count = Charge.objects.filter(~Exists(billed), ends_at__lte=ends_at).count()
    return Check("usage_billed", count == 0, f"{count} charges are on no invoice.")


def _drafts(ends_at: datetime) -> Check:
    count = Invoice.objects.filter(status=InvoiceStatus.DRAFT, cutoff_at__lte=ends_at).count()
    return Check("no_drafts", count == 0, f"{count} documents are drafts.")


def _releases(ends_at: datetime) -> Check:
    count = StatementRelease.objects.filter(released_at__isnull=True, due_at__lt=ends_at).count()
    return Check("payables_released", count == 0, f"{count} amounts are past their dispute window and not released.")


def _events(ends_at: datetime) -> Check:
    """Jobs that fell due, and messages of Stripe that came, by the month's end; parked ones whenever they did."""
    waiting = Q(state__in=[JobState.PENDING, JobState.RUNNING], due_at__lt=ends_at) | Q(state=JobState.PARKED)
    jobs = Job.objects.filter(waiting).count()
    unread = Q(state=EventState.RECEIVED, received_at__lt=ends_at) | Q(state=EventState.PARKED)
    messages = StripeEvent.objects.filter(unread).count()
    found = f"{jobs} jobs that fell due and {messages} messages of Stripe that came by the month's end are not done."
    return Check("events_processed", jobs + messages == 0, found)


def _journals(starts_at: datetime, ends_at: datetime) -> Check:
    undecided = ManualJournal.objects.filter(status=JournalStatus.PROPOSED)
    count = undecided.filter(effective_at__gte=starts_at, effective_at__lt=ends_at).count()
    return Check("journals_decided", count == 0, f"{count} proposed entries of the month are not decided.")


def _clearing(now: datetime) -> Check:
    late = [line for line in clearing.clearing_lines(now) if line.is_overdue]
    names = ", ".join(f"{line.code} {line.name} {Money(line.balance_minor, line.currency)}" for line in late)
    return Check(
        "clearing_accounts",
        not late,
        f"Clearing accounts that should be at zero: {names}."
        if late
        else "Every clearing account is at zero or young.",
    )


def _balanced(ends_at: datetime) -> Check:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FROM (
                SELECT e.currency FROM billing_ledgerentry e JOIN billing_ledgertransaction x ON x.id = e.transaction_id
                WHERE x.effective_at < %s GROUP BY e.currency HAVING sum(e.amount_minor) <> 0
            ) AS unbalanced
            """,
            [ends_at],
        )
        (count,) = cursor.fetchone()
    return Check("balanced", count == 0, "Debits equal credits." if count == 0 else "Debits and credits differ.")
