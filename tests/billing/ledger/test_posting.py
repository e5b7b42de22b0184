"""Posting to the books, and reversing."""

import pytest
from django.db import transaction

from accounts.foundation import ids
from billing.ledger import queries, rules
from billing.ledger import services as ledger
from billing.ledger.chart import CHART, SHARDS, Code
from billing.ledger.errors import AlreadyPosted, AlreadyReversed, InsufficientFunds, NoSuchTransaction
from billing.ledger.models import Account, LedgerEntry
from billing.ledger.rules import Line, Source, credit, debit
from tests.billing.ledger.books import NOW, check_deferred, invoice, party, source, top_up

pytestmark = pytest.mark.django_db


def test_a_posting_moves_both_balances_and_keeps_who_and_why() -> None:
    lab = party("Lab")
    posted = top_up(lab, 600_000)
    check_deferred()
    assert queries.funds(lab.id, "CNY").balance_minor == 600_000
    assert queries.balance(Code.BANK, "CNY") == 600_000
    posted.refresh_from_db()
    assert (posted.source_type, posted.purpose, posted.effective_at) == ("top_up", "confirm", NOW)
    assert sorted(posted.entries.values_list("amount_minor", "balance_after_minor", "account_n")) == [
        (-600_000, -600_000, 1),
        (600_000, 600_000, 1),
    ]


def test_entries_of_an_account_are_numbered_without_gaps_and_carry_the_balance_after_them() -> None:
    lab = party("Lab")
    for amount in (100, 250, 50):
        top_up(lab, amount)
    entries = LedgerEntry.objects.filter(account__code=Code.WALLET).order_by("account_n")
    assert list(entries.values_list("account_n", "balance_after_minor")) == [(1, -100), (2, -350), (3, -400)]


def test_lines_of_one_account_become_one_entry_and_zeros_none() -> None:
    lab = party("Lab")
    top_up(lab, 1_000)
    posted = ledger.post(
        source("invoice", "issue"),
        [
            debit(Code.WALLET, 300, lab.id),
            credit(Code.CAPACITY_REVENUE, 200),
            credit(Code.CAPACITY_REVENUE, 100),
            credit(Code.OUTPUT_VAT, 0),
        ],
        currency="CNY",
        effective_at=NOW,
        now=NOW,
    )
    assert sorted(posted.entries.values_list("amount_minor", flat=True)) == [-300, 300]


@pytest.mark.parametrize(
    "lines",
    [
        [debit(Code.BANK, 100), credit(Code.SUSPENSE, 99)],
        [debit(Code.BANK, 100), credit(Code.BANK, 100)],
        [debit(Code.BANK, 0), credit(Code.SUSPENSE, 0)],
        [debit(Code.BANK, 10**15 + 1), credit(Code.SUSPENSE, 10**15 + 1)],
        [],
    ],
    ids=["unbalanced", "one account", "nothing", "beyond any sum", "no lines"],
)
def test_an_unsound_posting_is_a_mistake_of_the_program(lines: list[Line]) -> None:
    with pytest.raises(AssertionError):
        rules.merged(lines)


def test_a_source_is_posted_once() -> None:
    lab = party("Lab")
    once = source()
    lines = [debit(Code.BANK, 100), credit(Code.WALLET, 100, lab.id)]
    ledger.post(once, lines, currency="CNY", effective_at=NOW, now=NOW)
    with pytest.raises(AlreadyPosted), transaction.atomic():
        ledger.post(once, lines, currency="CNY", effective_at=NOW, now=NOW)
    assert queries.funds(lab.id, "CNY").balance_minor == 100


def test_a_wallet_cannot_be_charged_more_than_it_has() -> None:
    lab = party("Lab")
    top_up(lab, 100)
    with pytest.raises(InsufficientFunds) as refused:
        invoice(lab, 130)
    assert (refused.value.needed_minor, refused.value.available_minor) == (130, 100)
    assert "1.30 CNY is needed and 1.00 CNY is available" in refused.value.detail
    assert queries.funds(lab.id, "CNY").balance_minor == 100


def test_a_refusal_for_want_of_funds_leaves_the_callers_transaction_usable() -> None:
    lab = party("Lab")
    with transaction.atomic(savepoint=False):
        with pytest.raises(InsufficientFunds):
            invoice(lab, 130)
        top_up(lab, 200)
    assert queries.funds(lab.id, "CNY").balance_minor == 200


def test_hot_codes_are_spread_over_shards_and_read_as_one() -> None:
    lab = party("Lab")
    top_up(lab, 10_000)
    for _ in range(40):
        invoice(lab, 7)
    shards = Account.objects.filter(code=Code.CAPACITY_REVENUE).values_list("shard", flat=True)
    assert 1 < len(shards) <= SHARDS
    assert all(0 <= shard < SHARDS for shard in shards)
    assert queries.balance(Code.CAPACITY_REVENUE, "CNY") == -280


def test_every_code_has_a_line_in_the_chart() -> None:
    assert set(CHART) == set(Code)


def test_currencies_have_books_of_their_own() -> None:
    lab = party("Lab")
    top_up(lab, 100, "CNY")
    top_up(lab, 70, "USD")
    assert [(row.currency, row.balance_minor) for row in queries.wallets(lab.id)] == [("CNY", 100), ("USD", 70)]
    assert queries.currencies() == ["CNY", "USD"]


def test_a_reversal_is_the_exact_opposite_and_happens_once() -> None:
    lab = party("Lab")
    top_up(lab, 1_000)
    charged = invoice(lab, 400)
    reversal = ledger.reverse(charged.id, now=NOW, memo="Wrong customer")
    check_deferred()
    assert queries.funds(lab.id, "CNY").balance_minor == 1_000
    before = dict(charged.entries.values_list("account_id", "amount_minor"))
    assert dict(reversal.entries.values_list("account_id", "amount_minor")) == {k: -v for k, v in before.items()}
    for again in (charged, reversal):
        with pytest.raises(AlreadyReversed):
            ledger.reverse(again.id, now=NOW)


def test_a_reversal_of_money_that_is_spent_is_refused() -> None:
    lab = party("Lab")
    received = top_up(lab, 1_000)
    invoice(lab, 400)
    with pytest.raises(InsufficientFunds):
        ledger.reverse(received.id, now=NOW)


def test_what_was_never_posted_cannot_be_reversed() -> None:
    with pytest.raises(NoSuchTransaction):
        ledger.reverse(ids.new_id(), now=NOW)


def test_an_invoices_extras_may_overdraw_the_wallet_and_nothing_else_may() -> None:
    lab = party("Lab")
    top_up(lab, 100)
    with pytest.raises(InsufficientFunds):
        invoice(lab, 130, extras_minor=29)
    invoice(lab, 130, extras_minor=30)
    check_deferred()
    funds = queries.funds(lab.id, "CNY")
    assert (funds.balance_minor, funds.available_minor, funds.overdraft_minor) == (-30, -30, 30)


def test_a_top_up_lowers_the_overdraft_first() -> None:
    lab = party("Lab")
    top_up(lab, 100)
    invoice(lab, 130, extras_minor=30)
    top_up(lab, 20)
    assert queries.funds(lab.id, "CNY").overdraft_minor == 10
    top_up(lab, 20)
    assert queries.funds(lab.id, "CNY").overdraft_minor == 0


def test_a_source_names_its_shard_for_ever() -> None:
    one = Source("invoice", ids.new_id(), "issue")
    assert rules.shard(Code.FEE_INCOME, one) == rules.shard(Code.FEE_INCOME, one) == one.id.int % SHARDS
    assert rules.shard(Code.BANK, one) == 0
