"""What the database refuses, whoever asks: each guard of the books met by a statement of raw SQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.foundation import ids
from billing.ledger import queries
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.models import Account, Hold, LedgerTransaction
from tests import databases
from tests.billing.ledger.books import NOW, Party, check_deferred, hold, invoice, party, top_up

pytestmark = pytest.mark.django_db

APPEND_ONLY = ["billing_ledgertransaction", "billing_ledgerentry", "billing_holdevent"]
KEPT = [*APPEND_ONLY, "billing_account", "billing_hold"]


@pytest.fixture
def lab() -> Party:
    return party("Lab")


def execute(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@contextmanager
def refusal_by(guard: str) -> Iterator[None]:
    """Expect the statements, or the check at their commit, to be refused by this constraint or trigger."""
    with pytest.raises(DatabaseError) as error, transaction.atomic():  # noqa: PT012 (a refusal comes late or early)
        yield
        check_deferred()
    cause: Any = error.value.__cause__
    assert guard in (cause.diag.constraint_name or ""), cause


def refused(guard: str, statement: str, *values: Any) -> None:
    with refusal_by(guard):
        execute(statement, *values)


def wallet_of(owner: Party) -> Account:
    return Account.objects.get(code=Code.WALLET, organisation_id=owner.id)


def new_transaction() -> UUID:
    made = LedgerTransaction.objects.create(
        effective_at=NOW, posted_at=NOW, source_type="test", source_id=ids.new_id(), purpose="guard"
    )
    return made.id


ENTRY = (
    "INSERT INTO billing_ledgerentry (id, transaction_id, account_id, currency, amount_minor, account_n,"
    " balance_after_minor) VALUES (%s, %s, %s, %s, %s, 0, 0)"
)


def entry(transaction_id: UUID, account: Account, amount_minor: int, currency: str = "CNY") -> tuple[object, ...]:
    return ids.new_id(), transaction_id, account.id, currency, amount_minor


# --- Transactions and entries ----------------------------------------------------------------------


@pytest.mark.parametrize("table", KEPT)
def test_the_application_may_neither_delete_nor_truncate(lab: Party, table: str) -> None:
    top_up(lab, 100)
    hold(lab, 10)
    for statement in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with pytest.raises(DatabaseError), transaction.atomic():
            execute(statement)


@pytest.mark.django_db(transaction=True)
def test_the_owner_may_not_either_and_what_was_written_never_changes() -> None:
    with transaction.atomic():
        lab = party("Lab")
        top_up(lab, 100)
        hold(lab, 10)
    statements = [f"DELETE FROM {table}" for table in KEPT]
    statements += [f"TRUNCATE {table} CASCADE" for table in KEPT]
    statements += [f"UPDATE {table} SET id = id" for table in APPEND_ONLY]
    with databases.owner_cursor() as cursor:
        for statement in statements:
            with pytest.raises(DatabaseError, match="never"):
                cursor.execute(statement)


def test_a_transaction_out_of_balance_cannot_be_committed(lab: Party) -> None:
    top_up(lab, 100)
    bank = Account.objects.get(code=Code.BANK)
    with refusal_by("transaction_sums_to_zero"):
        made = new_transaction()
        execute(ENTRY, *entry(made, bank, 50))
        execute(ENTRY, *entry(made, wallet_of(lab), -49))


def test_a_transaction_without_entries_cannot_be_committed() -> None:
    with refusal_by("transaction_has_two_sides"):
        new_transaction()


def test_an_entry_added_after_an_early_check_is_checked_again(lab: Party) -> None:
    posted = top_up(lab, 100)
    check_deferred()  # the transaction is found sound
    suspense = Account.objects.create(code=Code.SUSPENSE, currency="CNY", kind="liability", opened_at=NOW)
    refused("transaction_sums_to_zero", ENTRY, *entry(posted.id, suspense, 7))


def test_the_stamp_of_the_creating_transaction_cannot_be_chosen(lab: Party) -> None:
    top_up(lab, 100)
    accounts = {account.code: account for account in Account.objects.all()}
    made = ids.new_id()
    execute(
        "INSERT INTO billing_ledgertransaction (id, effective_at, posted_at, source_type, source_id, purpose, memo,"
        " created_in) VALUES (%s, %s, %s, 'test', %s, 'guard', '', '3')",
        made,
        NOW,
        NOW,
        ids.new_id(),
    )
    for code, amount in ((Code.BANK, 5), (Code.WALLET, -5)):
        execute(ENTRY, *entry(made, accounts[code], amount))
    check_deferred()
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT created_in = pg_current_xact_id() FROM billing_ledgertransaction")
        assert cursor.fetchall() == [(True,)]


def test_an_entry_is_in_the_currency_of_its_account(lab: Party) -> None:
    top_up(lab, 100)
    with refusal_by("entry_in_its_accounts_currency"):
        execute(ENTRY, *entry(new_transaction(), wallet_of(lab), -50, "USD"))


def test_an_entry_of_nothing_is_refused(lab: Party) -> None:
    top_up(lab, 100)
    with refusal_by("entry_moves_something"):
        execute(ENTRY, *entry(new_transaction(), wallet_of(lab), 0))


def test_an_account_stands_once_in_a_transaction(lab: Party) -> None:
    posted = top_up(lab, 100)
    refused("entry_once_per_account", ENTRY, *entry(posted.id, wallet_of(lab), -5))


def test_a_reversal_must_be_exact(lab: Party) -> None:
    received = top_up(lab, 100)
    bank = Account.objects.get(code=Code.BANK)
    with refusal_by("reversal_is_exact"):
        made = LedgerTransaction.objects.create(
            effective_at=NOW, posted_at=NOW, source_type="test", source_id=ids.new_id(), purpose="x",
            reversal_of=received,
        )  # fmt: skip
        execute(ENTRY, *entry(made.id, bank, -99))
        execute(ENTRY, *entry(made.id, wallet_of(lab), 99))


def test_a_transaction_is_reversed_once(lab: Party) -> None:
    received = top_up(lab, 100)
    ledger.reverse(received.id, now=NOW)
    refused(
        "reversal_of_id",
        "INSERT INTO billing_ledgertransaction (id, effective_at, posted_at, source_type, source_id, purpose, memo,"
        " reversal_of_id) VALUES (%s, %s, %s, 'test', %s, 'again', '', %s)",
        ids.new_id(),
        NOW,
        NOW,
        ids.new_id(),
        received.id,
    )


@pytest.mark.parametrize("instant", ["2019-12-31T23:59:59Z", "2100-01-01T00:00:00Z", "infinity"])
def test_the_books_know_no_time_outside_their_century(lab: Party, instant: str) -> None:
    refused(
        "transaction_times_in_range",
        "INSERT INTO billing_ledgertransaction (id, effective_at, posted_at, source_type, source_id, purpose, memo)"
        " VALUES (%s, %s, %s, 'test', %s, 'late', '')",
        ids.new_id(),
        instant,
        NOW,
        ids.new_id(),
    )


# --- Accounts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["balance_minor", "entry_count", "held_minor"])
def test_sums_move_only_with_what_they_sum(lab: Party, column: str) -> None:
    top_up(lab, 100)
    refused("account_sums_follow_entries", f"UPDATE billing_account SET {column} = {column} + 1")


def test_an_account_opens_empty(lab: Party) -> None:
    refused(
        "account_opens_empty",
        "INSERT INTO billing_account (id, code, currency, shard, kind, opened_at, balance_minor, entry_count,"
        " held_minor, credit_limit_minor, overdraft_minor) VALUES (%s, '1020', 'CNY', 0, 'asset', %s, 5, 0, 0, 0, 0)",
        ids.new_id(),
        NOW,
    )


@pytest.mark.parametrize(
    "change", ["code = '1100'", "currency = 'USD'", "shard = 3", "kind = 'asset'", "organisation_id = NULL"]
)
def test_an_account_never_becomes_another(lab: Party, change: str) -> None:
    top_up(lab, 100)
    refused("account_stays_itself", f"UPDATE billing_account SET {change} WHERE code = '2000'")


def test_an_overdraft_rises_only_by_an_invoice_of_the_same_transaction(lab: Party) -> None:
    received = top_up(lab, 100)
    refused("overdraft_only_by_invoice", "UPDATE billing_account SET overdraft_minor = 5 WHERE code = '2000'")
    refused(
        "overdraft_only_by_invoice",
        "UPDATE billing_account SET overdraft_minor = 5, overdraft_by_id = %s WHERE code = '2000'",
        received.id,
    )


def test_a_wallet_never_falls_below_what_it_holds(lab: Party) -> None:
    top_up(lab, 100)
    hold(lab, 60)
    with refusal_by("wallet_covers_its_holds"):
        execute(ENTRY, *entry(new_transaction(), wallet_of(lab), 41))


def test_a_hold_never_exceeds_the_funds(lab: Party) -> None:
    top_up(lab, 100)
    held = hold(lab, 60)
    refused("wallet_covers_its_holds", EVENT, *event(held, "grown", 41))


@pytest.mark.parametrize("owned", [True, False])
def test_accounts_have_the_owner_that_their_code_says(lab: Party, owned: bool) -> None:
    refused(
        "account_has_its_owner",
        "INSERT INTO billing_account (id, code, organisation_id, currency, shard, kind, opened_at, balance_minor,"
        " entry_count, held_minor, credit_limit_minor, overdraft_minor)"
        " VALUES (%s, %s, %s, 'CNY', 0, %s, %s, 0, 0, 0, 0, 0)",
        ids.new_id(),
        "1020" if owned else "2000",
        lab.id if owned else None,
        "asset" if owned else "liability",
        NOW,
    )


@pytest.mark.parametrize(
    ("guard", "change"),
    [
        ("account_only_wallets_hold", "credit_limit_minor = 5"),
        ("account_amounts_not_negative", "credit_limit_minor = -5"),
    ],
)
def test_only_wallets_have_credit_and_it_is_not_negative(lab: Party, guard: str, change: str) -> None:
    top_up(lab, 100)
    code = "1020" if guard == "account_only_wallets_hold" else "2000"
    refused(guard, f"UPDATE billing_account SET {change} WHERE code = %s", code)


# --- Holds -----------------------------------------------------------------------------------------

EVENT = (
    "INSERT INTO billing_holdevent (id, hold_id, n, kind, amount_minor, transaction_id, at)"
    " VALUES (%s, %s, 0, %s, %s, %s, %s)"
)


def event(held: Hold, kind: str, amount_minor: int, by: LedgerTransaction | None = None) -> tuple[object, ...]:
    return ids.new_id(), held.id, kind, amount_minor, by.id if by else None, NOW


def test_a_hold_changes_only_by_its_events(lab: Party) -> None:
    top_up(lab, 100)
    hold(lab, 60)
    refused("hold_follows_its_events", "UPDATE billing_hold SET amount_minor = 50, released_minor = 10")


def test_a_hold_starts_empty(lab: Party) -> None:
    top_up(lab, 100)
    insert = (
        "INSERT INTO billing_hold (id, account_id, organisation_id, project_id, currency, source_type, source_id,"
        " purpose, created_at, amount_minor, original_minor, grown_minor, captured_minor, released_minor, event_count)"
        " VALUES (%s, %s, %s, %s, 'CNY', 'order', %s, 'fill', %s, {amounts})"
    )
    values = (ids.new_id(), wallet_of(lab).id, lab.id, lab.project_id, ids.new_id(), NOW)
    refused("hold_starts_empty", insert.format(amounts="5, 5, 0, 0, 0, 1"), *values)
    refused("hold_closes_when_empty", insert.format(amounts="5, 5, 0, 0, 0, 0"), *values)
    refused("hold_closes_when_empty", insert.format(amounts="5, 0, 5, 0, 0, 0"), *values)
    refused("hold_accounts_for_everything", insert.format(amounts="5, 0, 0, 0, 0, 0"), *values)


def test_a_hold_is_on_its_owners_wallet_and_project(lab: Party) -> None:
    stranger = party("Stranger")
    top_up(lab, 100)
    insert = (
        "INSERT INTO billing_hold (id, account_id, organisation_id, project_id, currency, source_type, source_id,"
        " purpose, created_at, amount_minor, original_minor, grown_minor, captured_minor, released_minor, event_count)"
        " VALUES (%s, %s, %s, %s, %s, 'order', %s, 'fill', %s, 0, 0, 0, 0, 0, 0)"
    )
    wallet = wallet_of(lab).id
    for owner, project, currency, guard in (
        (stranger.id, stranger.project_id, "CNY", "hold_on_its_owners_wallet"),
        (lab.id, stranger.project_id, "CNY", "hold_on_its_owners_project"),
        (lab.id, lab.project_id, "USD", "hold_on_its_owners_wallet"),
    ):
        refused(guard, insert, ids.new_id(), wallet, owner, project, currency, ids.new_id(), NOW)


def test_events_come_in_the_order_that_holds_allow(lab: Party) -> None:
    received = top_up(lab, 100)
    held = hold(lab, 60)
    refused("hold_ends_once", EVENT, *event(held, "placed", 10))
    refused("hold_release_is_whole", EVENT, *event(held, "released", 59))
    refused("hold_amounts_not_negative", EVENT, *event(held, "shrunk", 61))
    refused("hold_accounts_for_everything", EVENT, *event(held, "lost", 1))
    refused("hold_amounts_not_negative", EVENT, *event(held, "shrunk", -1))
    refused("hold_event_moves_something", EVENT, *event(held, "shrunk", 0))
    refused("hold_capture_names_its_transaction", EVENT, *event(held, "captured", 10))
    refused("hold_capture_names_its_transaction", EVENT, *event(held, "shrunk", 10, received))
    ledger.change_hold(held.id, by_minor=-60, now=NOW)
    for kind in ("grown", "shrunk", "released"):
        refused("hold_ends_once", EVENT, *event(held, kind, 1))


def test_a_transaction_captures_from_a_hold_once(lab: Party) -> None:
    top_up(lab, 100)
    held = hold(lab, 60)
    charged = invoice(lab, 10)
    execute(EVENT, *event(held, "captured", 10, charged))
    refused("hold_captured_once_per_transaction", EVENT, *event(held, "captured", 10, charged))


def test_a_source_has_one_hold(lab: Party) -> None:
    top_up(lab, 100)
    held = hold(lab, 60)
    refused(
        "hold_once_per_source",
        "INSERT INTO billing_hold (id, account_id, organisation_id, project_id, currency, source_type, source_id,"
        " purpose, created_at, amount_minor, original_minor, grown_minor, captured_minor, released_minor, event_count)"
        " SELECT %s, account_id, organisation_id, project_id, currency, source_type, source_id, purpose, created_at,"
        " 0, 0, 0, 0, 0, 0 FROM billing_hold WHERE id = %s",
        ids.new_id(),
        held.id,
    )


def test_a_source_has_one_transaction(lab: Party) -> None:
    posted = top_up(lab, 100)
    refused(
        "transaction_once_per_source",
        "INSERT INTO billing_ledgertransaction (id, effective_at, posted_at, source_type, source_id, purpose, memo)"
        " VALUES (%s, %s, %s, %s, %s, %s, '')",
        ids.new_id(),
        NOW,
        NOW,
        posted.source_type,
        posted.source_id,
        posted.purpose,
    )


def test_held_sum_equals_the_open_holds(lab: Party) -> None:
    top_up(lab, 100)
    holds = [hold(lab, amount) for amount in (10, 20, 30)]
    ledger.change_hold(holds[1].id, by_minor=-15, now=NOW)
    ledger.change_hold(holds[2].id, by_minor=-30, now=NOW)
    assert queries.funds(lab.id, "CNY").held_minor == 15 == sum(row.amount_minor for row in Hold.objects.all())
