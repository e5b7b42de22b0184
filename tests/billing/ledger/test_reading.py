"""What the books tell, and to whom."""

from datetime import timedelta
from uuid import UUID

import pytest

from accounts.actors.actor import Actor, Capability
from accounts.actors.errors import NotAllowed
from billing.ledger import queries
from billing.ledger import services as ledger
from billing.ledger.chart import SHARDS, Code
from billing.ledger.models import Account
from billing.ledger.rules import Source, credit, debit
from tests.billing.ledger.books import NOW, Party, hold, invoice, party, source, top_up

pytestmark = pytest.mark.django_db


def actor(owner: Party, *capabilities: Capability) -> Actor:
    return Actor(owner.id, None, None, frozenset(capabilities), "test")


def test_funds_of_an_organisation_without_a_wallet_are_zero() -> None:
    funds = queries.funds(party("New").id, "CNY")
    assert (funds.balance_minor, funds.held_minor, funds.available_minor) == (0, 0, 0)


def test_the_trial_balance_sums_every_code_to_zero() -> None:
    lab = party("Lab")
    top_up(lab, 1_000)
    invoice(lab, 300)
    invoice(lab, 50)
    balance = queries.trial_balance("CNY")
    figures = {row.code: (row.debit_minor, row.credit_minor, row.balance_minor) for row in balance.rows}
    assert figures == {
        Code.BANK: (1_000, 0, 1_000),
        Code.WALLET: (350, 1_000, -650),
        Code.CAPACITY_REVENUE: (0, 350, -350),
    }
    assert balance.debit_minor == balance.credit_minor == 1_350
    assert balance.difference_minor == 0


def test_the_rows_of_a_hot_account_are_one_account_with_one_balance() -> None:
    lab = party("Lab")
    top_up(lab, 100_000)
    for n in range(40):
        ledger.post(
            Source("invoice", UUID(int=n), "issue"),
            [debit(Code.WALLET, 10 + n, lab.id), credit(Code.FEE_INCOME, 10 + n)],
            currency="CNY",
            effective_at=NOW,
            now=NOW,
        )
    total = sum(10 + n for n in range(40))
    assert Account.objects.filter(code=Code.FEE_INCOME).count() == SHARDS
    assert queries.balance(Code.FEE_INCOME, "CNY") == -total
    (row,) = [row for row in queries.trial_balance("CNY").rows if row.code is Code.FEE_INCOME]
    assert (row.accounts, row.credit_minor) == (1, total)


def test_a_trial_balance_until_an_instant_leaves_out_what_took_effect_later() -> None:
    lab = party("Lab")
    lines = [debit(Code.BANK, 100), credit(Code.WALLET, 100, lab.id)]
    ledger.post(source(), lines, currency="CNY", effective_at=NOW, now=NOW)
    ledger.post(source(), lines, currency="CNY", effective_at=NOW + timedelta(days=1), now=NOW)
    assert queries.trial_balance("CNY", until=NOW + timedelta(hours=1)).debit_minor == 100
    assert queries.trial_balance("CNY").debit_minor == 200
    assert queries.trial_balance("USD").rows == ()


def test_a_buyer_reads_its_wallet_and_nobody_elses() -> None:
    lab, stranger = party("Lab"), party("Stranger")
    top_up(lab, 100)
    top_up(stranger, 200)
    hold(lab, 10)
    hold(stranger, 20)
    reader = actor(lab, Capability.VIEW_BUYING)
    assert [entry.amount_minor for entry in queries.visible_entries(reader)] == [-100]
    assert [row.amount_minor for row in queries.visible_holds(reader)] == [10]


def test_a_seller_reads_its_payables_and_not_the_wallet_of_its_own_organisation() -> None:
    centre = party("Centre", can_sell=True)
    top_up(centre, 100)
    ledger.post(
        Source("statement", centre.id, "issue"),
        [debit(Code.COST_OF_CAPACITY, 70), credit(Code.PAYABLE_PENDING, 70, centre.id)],
        currency="CNY",
        effective_at=NOW,
        now=NOW,
    )
    seller = actor(centre, Capability.VIEW_SELLING)
    assert [entry.amount_minor for entry in queries.visible_entries(seller)] == [-70]
    with pytest.raises(NotAllowed):
        queries.visible_holds(seller)


def test_those_who_read_the_books_read_all_of_them() -> None:
    lab, operator = party("Lab"), party("Operator")
    top_up(lab, 100)
    hold(lab, 10)
    clerk = actor(operator, Capability.VIEW_BOOKS)
    assert queries.visible_entries(clerk).count() == 2
    assert queries.visible_holds(clerk).count() == 1


def test_somebody_without_a_part_in_money_reads_nothing() -> None:
    with pytest.raises(NotAllowed):
        queries.visible_entries(actor(party("Lab"), Capability.METER))
