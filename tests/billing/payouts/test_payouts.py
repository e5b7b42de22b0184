"""A payout from what accrues to what the bank says, and what keeps it from being sent."""

from datetime import datetime, timedelta
from xml.etree import ElementTree as Xml

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.actors.actor import Capability
from accounts.actors.errors import NotAllowed
from accounts.audit.models import AuditRecord
from billing.payouts import files, paying, queries, services
from billing.payouts.errors import (
    AbovePayable,
    DestinationHeld,
    NoDestination,
    NoSuchPayout,
    NothingToPay,
    OwnPayout,
    PayoutMoveRefused,
)
from billing.payouts.models import Payout, PayoutDestination, PayoutItem, ProviderBalance
from billing.payouts.rules import Frequency, PayoutStatus, last_due
from tests.accounts import cast as people
from tests.billing.cast import party_of
from tests.billing.ledger.books import NOW
from tests.billing.payments.cast import person
from tests.billing.payouts import cast as casts
from tests.billing.payouts.cast import DUE, MONDAY, Cast, approved, keep_back, owe, the_payout

pytestmark = pytest.mark.django_db

SAME_ITEM_AGAIN = (
    "INSERT INTO billing_payoutitem (id, part, amount_minor, payout_id, release_id)"
    " SELECT gen_random_uuid(), part, amount_minor, payout_id, release_id FROM billing_payoutitem"
)


@pytest.fixture
def cast() -> Cast:
    return casts.make()


def in_books(cast: Cast) -> dict[str, int]:
    """Return what the books say from the provider's and the bank's side."""
    return {name: minor for name, minor in casts.in_books(cast.provider.id).items() if name != "stripe"}


def test_weeks_begin_on_monday_and_months_on_the_first_in_shanghai() -> None:
    sunday_evening = datetime.fromisoformat("2026-05-31T15:59:59+00:00")
    assert last_due(Frequency.WEEKLY, sunday_evening).isoformat() == "2026-05-24T16:00:00+00:00"
    assert last_due(Frequency.MONTHLY, sunday_evening).isoformat() == "2026-04-30T16:00:00+00:00"
    monday = sunday_evening + timedelta(seconds=1)
    assert last_due(Frequency.WEEKLY, monday) == last_due(Frequency.MONTHLY, monday) == monday


def test_what_is_released_accrues_and_is_due_on_monday(cast: Cast) -> None:
    owe(cast, 300_000)
    owe(cast, 73_112)
    assert paying.make_due(now=DUE) == 0
    assert paying.make_due(now=MONDAY) == 1
    assert paying.make_due(now=MONDAY) == 0
    payout = the_payout()
    assert (payout.status, payout.amount_minor, payout.made_due_by_id) == (PayoutStatus.DUE, 373_112, None)
    listed = [(item.statement_number, item.part, item.amount_minor) for item in queries.items(payout)]
    assert listed == [("STM-2026-300000", "release", 300_000), ("STM-2026-073112", "release", 73_112)]


def test_less_than_the_minimum_waits_for_the_next_monday(cast: Cast) -> None:
    owe(cast, 9_999)
    assert paying.make_due(now=MONDAY) == 0
    owe(cast, 1)
    assert paying.make_due(now=MONDAY + timedelta(days=1)) == 0
    assert paying.make_due(now=MONDAY + timedelta(days=7)) == 1


def test_a_payout_is_approved_sent_and_paid(cast: Cast) -> None:
    owe(cast, 373_112)
    payout = approved(cast)
    assert in_books(cast) == {"owed": 373_112, "transit": 0, "bank": 0}
    paying.send(cast.clerk, payout.id, now=MONDAY)
    assert in_books(cast) == {"owed": 0, "transit": 373_112, "bank": 0}
    paying.confirm(cast.clerk, payout.id, "BANK-1", now=MONDAY)
    assert paying.confirm(cast.clerk, payout.id, "BANK-1", now=MONDAY).status == PayoutStatus.PAID
    assert in_books(cast) == {"owed": 0, "transit": 0, "bank": -373_112}
    with pytest.raises(PayoutMoveRefused):
        paying.fail(cast.clerk, payout.id, "late", now=MONDAY)


def test_what_the_bank_did_not_pay_is_paid_by_the_next_payout(cast: Cast) -> None:
    owe(cast, 373_112)
    payout = approved(cast)
    paying.send(cast.clerk, payout.id, now=MONDAY)
    paying.fail(cast.clerk, payout.id, "account closed", now=MONDAY)
    assert in_books(cast) == {"owed": 373_112, "transit": 0, "bank": 0}
    following = the_payout()
    assert (following.status, queries.items(following)) == (PayoutStatus.ACCRUING, queries.items(payout))
    balance = ProviderBalance.objects.get()
    assert (balance.released_minor, balance.committed_minor) == (373_112, 0)
    assert paying.make_due(now=MONDAY + timedelta(days=7)) == 1


def test_above_the_limit_two_others_have_to_agree(cast: Cast) -> None:
    owe(cast, 10_000_001)
    payout = paying.make_due_now(cast.clerk, the_payout().id, now=DUE)
    for step in range(2):
        with pytest.raises(OwnPayout):
            paying.approve(cast.clerk, payout.id, now=DUE)
        who = (cast.approver, cast.second)[step]
        assert paying.approve(who, payout.id, now=DUE).status == (PayoutStatus.DUE, PayoutStatus.APPROVED)[step]
        if step == 0:
            with pytest.raises(OwnPayout):
                paying.approve(who, payout.id, now=DUE)
    with pytest.raises(NotAllowed):
        paying.send(cast.approver, payout.id, now=MONDAY)


def test_nothing_is_sent_for_72_hours_after_a_change_of_account(cast: Cast) -> None:
    owe(cast, 373_112)
    payout = approved(cast)
    casts.enter_account(cast, "6222020200199999999", now=MONDAY)
    soon, later = MONDAY + timedelta(hours=72, microseconds=-1), MONDAY + timedelta(hours=72)
    with pytest.raises(DestinationHeld):
        paying.send(cast.clerk, payout.id, now=soon)
    with pytest.raises(NothingToPay):
        paying.send_by_file(cast.clerk, "CNY", now=soon)
    assert paying.send(cast.clerk, payout.id, now=later).destination_changed_at == MONDAY


def test_a_provider_without_an_account_is_not_paid() -> None:
    cast = casts.make(with_account=False)
    owe(cast, 373_112)
    with pytest.raises(NoDestination):
        paying.send(cast.clerk, approved(cast).id, now=MONDAY)


def test_account_numbers_are_sealed_and_every_change_is_on_the_trail(cast: Cast) -> None:
    casts.enter_account(cast, "6222020200199999999", now=MONDAY)
    row = queries.destination(cast.provider.id)
    assert row is not None
    assert (row.account_ending, b"6222020200199999999" in bytes(row.account_sealed)) == ("9999", False)
    records = AuditRecord.objects.filter(action="payout_destination.change").order_by("id")
    assert len(records) == 2
    assert not any("62220202001" in record.text for record in records)
    with pytest.raises(NotAllowed):
        casts.enter_account(Cast(cast.provider, cast.clerk, *[cast.clerk] * 3))


def test_a_file_for_the_bank_has_every_payout_that_may_be_sent(cast: Cast) -> None:
    owe(cast, 373_112)
    payout = approved(cast)
    file = paying.send_by_file(cast.clerk, "CNY", now=MONDAY)
    sent = list(file.payouts.select_related("destination"))
    assert [(row.id, row.status) for row in sent] == [(payout.id, PayoutStatus.IN_TRANSIT)]
    root = Xml.fromstring(files.render(file, sent, debtor="Exchange"))  # noqa: S314 (our own)
    texts = {element.tag.split("}")[1]: element.text for element in root.iter() if element.text}
    assert (texts["CtrlSum"], texts["NbOfTxs"], texts["InstdAmt"]) == ("3731.12", "1", "3731.12")
    assert [e.text for e in root.iter(f"{{{files.NAMESPACE}}}Id") if e.text] == ["6222020200112233445"]
    with pytest.raises(NothingToPay):
        paying.send_by_file(cast.clerk, "CNY", now=MONDAY)


def test_a_later_negative_statement_takes_from_what_may_be_paid(cast: Cast) -> None:
    owe(cast, 373_112)
    paying.make_due(now=MONDAY)
    payout = the_payout()
    owe(cast, -100)
    with pytest.raises(AbovePayable), transaction.atomic():
        paying.approve(cast.approver, payout.id, now=MONDAY)
    owe(cast, 100)
    assert paying.approve(cast.approver, payout.id, now=MONDAY).status == PayoutStatus.APPROVED
    owe(cast, -40)
    balance = ProviderBalance.objects.get()
    assert (balance.released_minor, balance.committed_minor, balance.shortfall_minor) == (373_072, 373_112, 40)
    owe(cast, 50)
    balance.refresh_from_db()
    assert (balance.released_minor, balance.shortfall_minor) == (373_122, 0)


def test_a_reserve_is_kept_back_and_set_free_later(cast: Cast) -> None:
    keep_back(100_000, days=30)
    owe(cast, 373_119)
    owed = queries.payable(cast.provider.id, "CNY")
    assert owed is not None
    assert (owed.pending_minor, owed.available_minor, owed.reserved_minor) == (0, 335_808, 37_311)
    assert services.release_due(now=DUE + timedelta(days=30)) == 1
    assert services.release_due(now=DUE + timedelta(days=30)) == 0
    owed = queries.payable(cast.provider.id, "CNY")
    assert owed is not None
    assert (owed.available_minor, owed.reserved_minor) == (373_119, 0)
    assert [(item.part, item.amount_minor) for item in queries.items(the_payout())] == [
        ("release", 335_808), ("reserve", 37_311),
    ]  # fmt: skip


def test_a_provider_sees_its_own_payouts_only(cast: Cast) -> None:
    owe(cast, 373_112)
    other = party_of(people.organisation("Other", can_sell=True))
    stranger = person(other, "stranger", Capability.VIEW_SELLING)
    assert queries.payout(cast.owner, the_payout().id).organisation_id == cast.provider.id
    with pytest.raises(NoSuchPayout):
        queries.payout(stranger, the_payout().id)


@pytest.mark.parametrize(
    ("statement", "guard"),
    [
        ("UPDATE billing_payout SET amount_minor = amount_minor + 1", "may change"),
        ("UPDATE billing_payout SET status = 'in_transit'", "payout_sent_somewhere"),
        ("UPDATE billing_payout SET first_approved_by_id = approved_by_id", "payout_approver_is_another"),
        ("UPDATE billing_payout SET made_due_by_id = approved_by_id", "may change"),
        ("UPDATE billing_providerbalance SET released_minor = released_minor + 1", "follows releases"),
        ("UPDATE billing_payoutitem SET given_on_at = now()", "given on"),
        ("UPDATE billing_payoutitem SET amount_minor = 1", "may change|given on"),
        (SAME_ITEM_AGAIN, "does not take in|paid_once"),
        ("UPDATE billing_payoutdestination SET created_at = created_at - interval '9 days'", "may change"),
        ("DELETE FROM billing_payoutdestination", "billing_payoutdestination"),
    ],
)  # fmt: skip
def test_the_database_keeps_payouts_whoever_writes(cast: Cast, statement: str, guard: str) -> None:
    owe(cast, 373_112)
    approved(cast)
    with pytest.raises(IntegrityError, match=guard), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    ("entered", "guard"),
    [(timedelta(hours=71), "payout_waits_after_a_change"), (timedelta(hours=100), "payout_to_its_owners_account")],
)
def test_the_database_holds_payouts_after_a_change_whoever_writes(cast: Cast, entered: timedelta, guard: str) -> None:
    owe(cast, 373_112)
    approved(cast)
    row = PayoutDestination.objects.get()

    def send() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE billing_payout SET status = 'in_transit', method = 'bank', destination_id = %s, sent_at = %s,"
                " destination_changed_at = %s",
                [row.id, MONDAY, MONDAY - entered],
            )
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(IntegrityError, match=guard):
        send()


def test_a_payout_is_its_items(cast: Cast) -> None:
    owe(cast, 373_112)
    with pytest.raises(IntegrityError, match="its items sum to"), transaction.atomic():
        Payout.objects.update(status="due", amount_minor=1, due_at=NOW, two_people_above_minor=0)
    assert PayoutItem.objects.count() == 1
