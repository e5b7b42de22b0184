"""A payout goes through Stripe once and ends as its transfer does, whatever happens to calls, messages and workers."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.jobs import services as jobs
from accounts.jobs.models import Job
from billing.connect import services as connect
from billing.connect.errors import ReversalTooLarge
from billing.connect.models import ConnectTransfer, TransferReversal
from billing.connect.rules import ReversalStatus
from billing.gateway import stripe
from billing.gateway.errors import OutcomeUnknown
from billing.payouts import paying, queries, tasks, transfers
from billing.payouts.errors import DestinationHeld, NothingToPay, WentThroughStripe
from billing.payouts.models import Payout
from billing.payouts.rules import PayoutStatus
from tests.billing.payouts import cast as casts
from tests.billing.payouts.cast import MONDAY, approved, in_books, onboard, owe, sent_through_stripe, the_payout
from tests.faults import killed
from tests.stripe.server import Wire

pytestmark = pytest.mark.django_db
AMOUNT = 373_112
LATER = MONDAY + timedelta(hours=1)


def work(now: datetime = LATER) -> None:
    """Do the jobs that are due, and whatever they make due."""
    while jobs.run_due(limit=10, now=now):
        pass


def transfer_of(payout: Payout) -> ConnectTransfer:
    return ConnectTransfer.objects.get(payout_id=payout.id)


def status_of(payout: Payout) -> str:
    return Payout.objects.get(id=payout.id).status


def land(wire: Wire, payout: Payout, *, fails: bool = False) -> None:
    """Let the provider's bank take the money or send it back, and look at the transfer as the poller does."""
    transfer = transfer_of(payout)
    wire.simulator.land_payout(transfer.payout_stripe_id, fails=fails)
    connect.refresh(transfer.id, now=LATER)


def test_a_payout_is_sent_through_stripe_and_paid_when_its_bank_has_it(stripe_wire: Wire) -> None:
    cast, payout = sent_through_stripe(stripe_wire, AMOUNT)
    assert (payout.status, payout.method, payout.destination) == ("in_transit", "stripe", None)
    assert in_books(cast.provider.id) == {"owed": 0, "transit": AMOUNT, "bank": 0, "stripe": 0}
    work()
    assert in_books(cast.provider.id) == {"owed": 0, "transit": 0, "bank": 0, "stripe": -AMOUNT}
    for step in (
        partial(paying.confirm, cast.clerk, payout.id, "B-1", now=LATER),
        partial(paying.fail, cast.clerk, payout.id, "no", now=LATER),
    ):
        with pytest.raises(WentThroughStripe):
            step()
    land(stripe_wire, payout)
    assert transfers.follow_all(now=LATER) == 1
    assert transfers.follow_all(now=LATER) == 0
    payout.refresh_from_db()
    assert (payout.status, payout.bank_reference) == (PayoutStatus.PAID, transfer_of(payout).payout_stripe_id)


def test_the_bank_pays_whoever_has_no_account_at_stripe_and_stripe_whoever_has(stripe_wire: Wire) -> None:
    cast = casts.make()
    owe(cast, AMOUNT)
    payout = approved(cast)
    onboard(cast, stripe_wire)
    with pytest.raises(NothingToPay):
        paying.send_by_file(cast.clerk, "CNY", now=MONDAY)
    stripe_wire.simulator.restrict(stripe_wire.simulator.of("account")[0]["id"])
    connect.refresh_account(stripe_wire.simulator.of("account")[0]["id"], now=MONDAY)
    assert paying.send_by_file(cast.clerk, "CNY", now=MONDAY).payout_count == 1
    assert Payout.objects.get(id=payout.id).method == "bank"


def test_nothing_goes_through_stripe_for_72_hours_after_its_account_changed(stripe_wire: Wire) -> None:
    cast = casts.make()
    owe(cast, AMOUNT)
    payout = approved(cast)
    onboard(cast, stripe_wire, now=MONDAY - timedelta(hours=71))
    with pytest.raises(DestinationHeld):
        paying.send(cast.clerk, payout.id, now=MONDAY)
    assert not ConnectTransfer.objects.exists()
    assert paying.send(cast.clerk, payout.id, now=MONDAY + timedelta(hours=1)).method == "stripe"


def test_what_stripe_refuses_is_owed_again_and_paid_by_the_next_payout(stripe_wire: Wire) -> None:
    cast, payout = sent_through_stripe(stripe_wire, AMOUNT)
    stripe_wire.simulator.move(-1, "fee", "")  # a fen too little
    work()
    payout.refresh_from_db()
    assert (payout.status, payout.failure) == (PayoutStatus.FAILED, "You have insufficient available funds.")
    assert in_books(cast.provider.id) == {"owed": AMOUNT, "transit": 0, "bank": 0, "stripe": 0}
    assert [item.amount_minor for item in queries.items(the_payout())] == [AMOUNT]


@pytest.mark.parametrize("paid_first", [False, True])
def test_what_the_bank_sends_back_is_fetched_back_and_owed_again(stripe_wire: Wire, *, paid_first: bool) -> None:
    cast, payout = sent_through_stripe(stripe_wire, AMOUNT)
    work()
    if paid_first:
        land(stripe_wire, payout)
        transfers.follow_all(now=LATER)
        assert status_of(payout) == PayoutStatus.PAID
    land(stripe_wire, payout, fails=True)
    transfers.follow_all(now=LATER)
    # In the provider's Stripe balance: not paid, and not ours to pay again.
    assert in_books(cast.provider.id) == {"owed": 0, "transit": 0, "bank": 0, "stripe": -AMOUNT}
    assert status_of(payout) == PayoutStatus.IN_TRANSIT
    work()
    payout.refresh_from_db()
    assert (payout.status, payout.failure) == (PayoutStatus.FAILED, "account_closed")
    assert in_books(cast.provider.id) == {"owed": AMOUNT, "transit": 0, "bank": 0, "stripe": 0}
    assert stripe_wire.simulator.available() == AMOUNT
    assert the_payout().status == PayoutStatus.ACCRUING
    transfers.follow_all(now=LATER)
    assert in_books(cast.provider.id)["owed"] == AMOUNT


def test_what_is_fetched_back_in_parts_is_failed_with_the_last_of_them(stripe_wire: Wire) -> None:
    cast, payout = sent_through_stripe(stripe_wire, AMOUNT)
    work()
    transfer = transfer_of(payout)
    stripe_wire.simulator.land_payout(transfer.payout_stripe_id, fails=True)
    # Somebody at Stripe fetches a part back before we look.
    stripe_wire.simulator.create_reversal(transfer.transfer_stripe_id, sent={"amount": "73112"}, account="")
    connect.refresh(transfer.id, now=LATER)
    transfers.follow(payout.id, now=LATER)
    assert in_books(cast.provider.id) == {"owed": 0, "transit": 73_112, "bank": 0, "stripe": -300_000}
    work()
    assert TransferReversal.objects.get().amount_minor == 300_000
    assert status_of(payout) == PayoutStatus.FAILED
    assert in_books(cast.provider.id) == {"owed": AMOUNT, "transit": 0, "bank": 0, "stripe": 0}


def test_finance_fetches_back_what_stripe_would_not_give_at_first(stripe_wire: Wire) -> None:
    cast, payout = sent_through_stripe(stripe_wire, AMOUNT)
    work()
    land(stripe_wire, payout, fails=True)
    account = stripe_wire.simulator.of("account")[0]
    account["_balance"] -= 1  # the provider owes Stripe a fen
    transfers.follow_all(now=LATER)
    work()
    assert TransferReversal.objects.get().status == ReversalStatus.REFUSED
    transfers.follow_all(now=LATER)  # not asked for again by itself
    assert (TransferReversal.objects.count(), status_of(payout)) == (1, PayoutStatus.IN_TRANSIT)
    account["_balance"] += 1
    transfers.fetch_back(cast.clerk, payout.id, now=LATER)
    with pytest.raises(ReversalTooLarge):
        transfers.fetch_back(cast.clerk, payout.id, now=LATER)
    work()
    assert status_of(payout) == PayoutStatus.FAILED


@pytest.mark.parametrize("fault", ["lost_request", "lost_answer", "late_answer", "409", "429"])
@pytest.mark.parametrize("path", ["/v1/transfers", "/v1/payouts"])
def test_a_call_that_goes_wrong_leaves_one_effect_at_stripe_and_in_the_books(
    stripe_wire: Wire, monkeypatch: pytest.MonkeyPatch, fault: str, path: str
) -> None:
    if fault == "late_answer":
        monkeypatch.setattr(stripe, "TIMEOUT_SECONDS", 1)
    cast, payout = sent_through_stripe(stripe_wire, AMOUNT)
    stripe_wire.fault(path, fault)
    job = Job.objects.get(kind=connect.SEND_TRANSFER)
    with pytest.raises(OutcomeUnknown):
        tasks.send_transfer(job.key, {}, renew=lambda: None)
    transfers.follow_all(now=LATER)
    work()
    assert [len(stripe_wire.simulator.of(kind)) for kind in ("transfer", "payout")] == [1, 1]
    assert stripe_wire.simulator.available() == 0
    assert in_books(cast.provider.id) == {"owed": 0, "transit": 0, "bank": 0, "stripe": -AMOUNT}
    land(stripe_wire, payout)
    transfers.follow_all(now=LATER)
    assert status_of(payout) == PayoutStatus.PAID


@pytest.mark.parametrize("change", ["status = 'paid'", "status = 'failed', failure = 'x'"])
def test_the_database_keeps_a_payout_to_its_transfer(stripe_wire: Wire, change: str) -> None:
    sent_through_stripe(stripe_wire, AMOUNT)
    with pytest.raises(IntegrityError, match="its transfer is preparing"), transaction.atomic():
        write(f"UPDATE billing_payout SET {change}, ended_at = sent_at WHERE status = 'in_transit'")


def test_the_database_lets_no_payout_come_back_that_the_bank_paid() -> None:
    cast = casts.make()
    owe(cast, AMOUNT)
    paying.send(cast.clerk, approved(cast).id, now=MONDAY)
    paying.confirm(cast.clerk, the_payout().id, "B-1", now=MONDAY)
    with pytest.raises(IntegrityError, match="paid by the bank"), transaction.atomic():
        write("UPDATE billing_payout SET status = 'in_transit', ended_at = NULL")


def write(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_anywhere_on_the_way_leaves_what_the_next_one_finishes(stripe_wire: Wire) -> None:
    cast, payout = sent_through_stripe(stripe_wire, AMOUNT)
    send = partial(tasks.send_transfer, str(transfer_of(payout).id), {}, renew=lambda: None)
    assert die_and_go_on(send) >= 3
    assert [len(stripe_wire.simulator.of(kind)) for kind in ("transfer", "payout")] == [1, 1]
    assert in_books(cast.provider.id) == {"owed": 0, "transit": 0, "bank": 0, "stripe": -AMOUNT}
    land(stripe_wire, payout, fails=True)
    transfers.follow_all(now=LATER)
    back = partial(tasks.reverse_transfer, str(TransferReversal.objects.get().id), {}, renew=lambda: None)
    assert die_and_go_on(back) >= 3
    assert status_of(payout) == PayoutStatus.FAILED
    assert stripe_wire.simulator.available() == AMOUNT
    assert in_books(cast.provider.id) == {"owed": AMOUNT, "transit": 0, "bank": 0, "stripe": 0}


def die_and_go_on(step: Callable[[], object]) -> int:
    """Kill a worker at every seventh point of a step, each time going on from what is left; returns how often."""
    kills = 0
    while not killed.run_killed(step, at=2 + 7 * kills, clock_at=LATER):
        kills += 1
    return kills
