"""Differences of every kind, planted: a run finds them all, and finds no other kind on sound books."""

from datetime import timedelta

import pytest
from django.db import connection

from billing.reconciliation import runs
from billing.reconciliation.models import Break
from billing.reconciliation.rules import ItemKind
from tests.billing.delivery import SYSTEM
from tests.billing.reconciliation import planted
from tests.billing.reconciliation.desk import JUNE

pytestmark = pytest.mark.django_db


def test_every_kind_that_was_planted_is_found() -> None:
    now = JUNE + timedelta(days=2)  # months are invoiced within a day of their end
    planted.everything(recent=now)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # the database lets all of it be
    made = runs.run(SYSTEM, now=now)
    found = set(Break.objects.values_list("kind", flat=True))
    assert set(map(str, ItemKind)) - found == set()
    assert made.new_count == Break.objects.count() == made.found_count
    amounts = {(kind, abs(amount or 0)) for kind, amount in Break.objects.values_list("kind", "amount_minor")}
    for kind, amount in {
        ItemKind.BANK_NOT_IN_LEDGER: 33_300,
        ItemKind.LEDGER_NOT_IN_BANK: 15_000,
        ItemKind.AVAILABLE_DIFFERENCE: 11_000,
        ItemKind.PAYOUT_STUCK: 373_112,
        ItemKind.CHARGE_UNBILLED: 3_600,
        ItemKind.DOCUMENT_POSTING: 21_200,
        ItemKind.RELEASE_OVERDUE: 50_000,
        ItemKind.STRIPE_NOT_IN_LEDGER: 500,
        ItemKind.LEDGER_NOT_AT_STRIPE: 13_000,
        ItemKind.STRIPE_AMOUNT: 1_000,
        ItemKind.STRIPE_CURRENCY: 20_000,
        ItemKind.STRIPE_DATE: 20_000,
        ItemKind.STRIPE_FEE: 59,
        ItemKind.STRIPE_PAYOUT_ROWS: 5_000,
    }.items():
        assert (kind.value, amount) in amounts, kind
