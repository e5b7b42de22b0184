"""A dispute keeps the provider's part of the disputed invoice back until it is resolved."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.events.models import Event
from accounts.foundation import ids
from billing.invoices import claims, corrections
from billing.invoices import services as invoices
from billing.invoices.models import Invoice, InvoiceDispute
from billing.invoices.rules import InvoiceKind, Resolution
from billing.payouts import holds, paying, queries, services
from billing.payouts.errors import AbovePayable
from billing.payouts.models import DisputeHold, Payout, ProviderBalance, StatementRelease
from config.audit.payouts import PAYOUTS
from tests.billing import delivery
from tests.billing.delivery import AFTER, Stage
from tests.billing.ledger.books import check_deferred
from tests.billing.payouts import cast, disputed
from tests.billing.payouts.disputed import HALF, LATER, MONDAY, RELEASED, drawn

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Stage:
    return disputed.stage()


def dispute(stage: Stage, invoice: Invoice) -> None:
    claims.dispute(stage.trader, invoice.id, reason="Not what was agreed", now=LATER)


def resolve(stage: Stage, invoice: Invoice, resolution: Resolution = Resolution.REJECTED) -> None:
    claims.resolve(stage.finance, invoice.id, resolution, reason="Looked at", now=MONDAY)


def owed(stage: Stage) -> tuple[int, int, int]:
    row = queries.payable(stage.provider.id, "CNY")
    assert row is not None
    return row.pending_minor, row.available_minor, row.reserved_minor


def unsound() -> list[str]:
    check_deferred()
    with connection.cursor() as cursor:
        return [one.code for one in PAYOUTS if one.check(cursor).violations]


def test_what_is_disputed_waits_for_the_release_and_only_the_rest_is_paid(stage: Stage) -> None:
    invoice = drawn(stage)
    dispute(stage, invoice)
    assert owed(stage) == (2 * HALF, 0, 0)

    services.release_due(now=RELEASED)

    assert owed(stage) == (0, HALF, HALF)
    assert [(item.part, item.amount_minor) for item in queries.items(Payout.objects.get())] == [
        ("release", 2 * HALF),
        ("held", -HALF),
    ]
    people = cast.of(stage.provider, stage.exchange)
    paying.make_due(now=MONDAY)
    first = paying.approve(people.approver, Payout.objects.get().id, now=MONDAY)
    assert first.amount_minor == HALF
    resolve(stage, invoice)
    resolve_again = InvoiceDispute.objects.get().id
    holds.lift(resolve_again, now=MONDAY)  # done twice, it lifts once
    assert owed(stage) == (0, 2 * HALF, 0)
    following = Payout.objects.exclude(id=first.id).get()
    assert [(item.part, item.amount_minor) for item in queries.items(following)] == [("lifted", HALF)]
    told = Event.objects.filter(type__startswith="statement.h", organisation=stage.provider).order_by("id")
    assert [one.type for one in told] == ["statement.held", "statement.hold_lifted"]
    assert unsound() == []


def test_what_is_released_already_is_held_at_once_and_a_due_payout_waits(stage: Stage) -> None:
    invoice = drawn(stage)
    services.release_due(now=RELEASED)
    people = cast.of(stage.provider, stage.exchange)
    payout = Payout.objects.get()
    paying.make_due_now(people.clerk, payout.id, now=RELEASED)

    dispute(stage, invoice)  # within seven days of its issue, and looked at later

    assert owed(stage) == (0, HALF, HALF)
    with pytest.raises(AbovePayable), transaction.atomic():
        paying.approve(people.approver, payout.id, now=MONDAY)
    resolve(stage, invoice)
    paying.approve(people.approver, payout.id, now=MONDAY)
    assert ProviderBalance.objects.get().shortfall_minor == 0
    # What accrues nets to nothing: it was held and lifted again.
    assert sum(item.amount_minor for item in Payout.objects.exclude(id=payout.id).get().items.all()) == 0
    assert unsound() == []


def test_what_was_paid_before_the_dispute_lowers_the_next_payouts(stage: Stage) -> None:
    invoice = drawn(stage)
    services.release_due(now=RELEASED)
    people = cast.of(stage.provider, stage.exchange)
    paying.make_due_now(people.clerk, Payout.objects.get().id, now=RELEASED)
    paying.approve(people.approver, Payout.objects.get().id, now=RELEASED)
    dispute(stage, invoice)
    assert ProviderBalance.objects.get().shortfall_minor == HALF
    assert unsound() == []


def test_a_dispute_before_the_statement_holds_as_soon_as_that_is_issued(stage: Stage) -> None:
    invoice = drawn(stage, states_first=False)
    dispute(stage, invoice)
    assert not DisputeHold.objects.exists()
    invoices.issue_statement(delivery.SYSTEM, invoice.contract_id, now=AFTER)
    assert DisputeHold.objects.get().amount_minor == HALF
    resolve(stage, invoice)
    services.release_due(now=RELEASED)
    assert owed(stage) == (0, 2 * HALF, 0)
    assert unsound() == []


def test_what_is_upheld_and_credited_is_not_paid_and_the_rest_is(stage: Stage) -> None:
    invoice = drawn(stage)
    dispute(stage, invoice)
    services.release_due(now=RELEASED)
    corrections.credit_invoice(stage.finance, invoice.id, reason="Upheld", now=RELEASED, provider_bears_it=True)
    services.release_due(now=MONDAY)
    assert owed(stage) == (0, 0, HALF)
    resolve(stage, invoice, Resolution.UPHELD)
    assert owed(stage) == (0, HALF, 0)
    assert unsound() == []


def test_disputes_together_never_hold_more_than_the_statement(stage: Stage) -> None:
    first = drawn(stage)
    for invoice in Invoice.objects.filter(kind=InvoiceKind.CUSTOMER):
        dispute(stage, invoice)
    release = StatementRelease.objects.get()
    more = holds.hold(ids.new_id(), release.statement_id, amount_minor=5, now=LATER)
    assert more is not None
    assert more.amount_minor == 0
    assert sum(one.amount_minor for one in DisputeHold.objects.all()) == release.amount_minor
    DisputeHold.objects.filter(id=more.id).update(lifted_at=LATER)
    resolve(stage, first)
    assert unsound() == []


def test_the_database_holds_and_lifts_once(stage: Stage) -> None:
    dispute(stage, drawn(stage))
    services.release_due(now=RELEASED)
    held = DisputeHold.objects.get()
    for change in ({"amount_minor": 1}, {"held_at": LATER, "transaction": None}, {"dispute_id": ids.new_id()}):
        with pytest.raises(DatabaseError), transaction.atomic():
            DisputeHold.objects.filter(id=held.id).update(**change)
    with pytest.raises(DatabaseError, match="start by waiting"), transaction.atomic():
        DisputeHold.objects.create(
            release=held.release, dispute_id=ids.new_id(), amount_minor=1, created_at=LATER, held_at=LATER
        )
