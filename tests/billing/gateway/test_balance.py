"""Our Stripe balance is kept row by row, and the books follow it to the fen."""

from datetime import timedelta

import pytest

from billing.gateway import balance
from billing.gateway.models import BalanceTransaction
from billing.ledger import queries as books
from billing.ledger.chart import Code
from billing.ledger.models import LedgerTransaction
from tests.billing.ledger.books import NOW, check_deferred
from tests.stripe.server import Wire

pytestmark = pytest.mark.django_db
SOON = NOW + timedelta(days=3)


def charged(wire: Wire, amount: int) -> None:
    wire.simulator.succeed(wire.simulator.new_intent(amount, "cny", "cus_1", {}))


def test_fees_are_posted_when_seen_and_net_amounts_when_available(stripe_wire: Wire) -> None:
    charged(stripe_wire, 100_000)
    assert balance.pull(now=NOW) == 1
    assert books.balance(Code.PROCESSING_FEES, "CNY") == 2_930
    assert books.balance(Code.STRIPE_AVAILABLE, "CNY") == 0
    stripe_wire.simulator.pass_time(timedelta(days=3))
    assert balance.pull(now=SOON) == 1
    check_deferred()
    assert books.balance(Code.STRIPE_AVAILABLE, "CNY") == 97_070 == stripe_wire.simulator.available()
    # The charge's own posting of 100,000 to 1000 belongs to the payment that brought it.
    assert books.balance(Code.STRIPE_CLEARING, "CNY") == -100_000


def test_pulling_again_changes_nothing(stripe_wire: Wire) -> None:
    charged(stripe_wire, 100_000)
    stripe_wire.simulator.pass_time(timedelta(days=3))
    assert balance.pull(now=SOON) == 1
    before = LedgerTransaction.objects.count()
    assert balance.pull(now=SOON) == 0
    assert (LedgerTransaction.objects.count(), BalanceTransaction.objects.count()) == (before, 1)


def test_more_rows_than_a_page_are_all_pulled(stripe_wire: Wire) -> None:
    for _ in range(230):
        stripe_wire.simulator.fund(1)
    assert balance.pull(now=NOW) == 230


def test_what_we_sent_is_kept_and_left_to_its_sender(stripe_wire: Wire) -> None:
    stripe_wire.simulator.fund(10_000)
    stripe_wire.simulator.move(-4_000, "transfer", "tr_1")
    balance.pull(now=NOW)
    assert books.balance(Code.STRIPE_AVAILABLE, "CNY") == 10_000


def test_an_automatic_payout_names_its_rows(stripe_wire: Wire) -> None:
    charged(stripe_wire, 100_000)
    stripe_wire.simulator.pass_time(timedelta(days=3))
    payout = stripe_wire.simulator.pay_out_automatically()
    balance.pull(now=SOON)
    assert balance.attribute(payout["id"], now=SOON) == 1
    rows = BalanceTransaction.objects.filter(payout_id=payout["id"])
    assert sum(row.net_minor for row in rows) == payout["amount"]
