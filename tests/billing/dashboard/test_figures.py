"""The figures of the dashboard are those of the ledger, and its charts keep their proportions."""

from datetime import timedelta

import pytest

from accounts.actors.actor import Actor, Capability
from accounts.actors.errors import NotAllowed
from billing.contracts import services as contracts
from billing.dashboard import charts, queries
from billing.dashboard.queries import Figures
from billing.invoices import services as invoices
from billing.ledger import queries as books
from billing.ledger.chart import Code
from billing.payouts import paying
from billing.payouts import services as payouts
from billing.rating import services as rating
from tests.billing import delivery
from tests.billing.delivery import AFTER, DAY, SYSTEM
from tests.billing.payouts import cast as casts
from tests.billing.payouts.cast import DUE, MONDAY, keep_back, owe, the_payout

pytestmark = pytest.mark.django_db

AUDITOR = Actor(None, None, None, frozenset({Capability.VIEW_BOOKS}), "auditor")


def look(now: object = AFTER) -> Figures:
    return queries.figures(AUDITOR, "CNY", now=now)  # type: ignore[arg-type]


def named(block: queries.Block) -> dict[str, int]:
    return {row.name: row.amount_minor for row in block.amounts if row.amount_minor}


def test_only_those_who_read_the_books_see_them() -> None:
    with pytest.raises(NotAllowed):
        queries.figures(Actor(None, None, None, frozenset(), "x"), "CNY", now=AFTER)


def test_empty_books_have_empty_figures() -> None:
    found = look()
    assert (found.cash.total_minor, found.receivables.difference_minor, found.unbilled.amounts) == (0, 0, ())
    assert len(found.fees.amounts) == queries.MONTHS


@pytest.mark.parametrize("prepaid", [True, False])
def test_from_usage_to_payout_every_figure_is_the_ledgers(*, prepaid: bool) -> None:
    stage = delivery.stage()
    delivery.fund(stage.buyer, 600_000)
    agreed = delivery.contract(stage, [delivery.slot(stage, 0, 2, 4, 9_000_000)], prepaid=prepaid)
    metered = delivery.point(agreed, stage.offering)
    delivery.report(stage, [delivery.segment(metered, "s1", 0, 2, 4)])
    contracts.begin(SYSTEM, agreed.id, now=DAY)
    contracts.end(SYSTEM, agreed.id, now=AFTER)
    rating.rate_pending(agreed, until=AFTER, now=AFTER)
    assert look().unbilled.total_minor == 7_200  # 8 card-hours at 9.00

    invoice = invoices.invoice_contract(SYSTEM, agreed.id, now=AFTER)
    statement = invoices.issue_statement(SYSTEM, agreed.id, now=AFTER)
    assert invoice is not None
    assert statement is not None
    found = look()
    assert found.unbilled.total_minor == 0
    assert found.receivables.total_minor == (0 if prepaid else invoice.total_minor)
    assert found.payables.total_minor == statement.total_minor
    assert found.fees.total_minor == -books.balance(Code.FEE_INCOME, "CNY") == 72
    assert found.margin.total_minor == invoice.net_minor - statement.net_minor
    assert found.cash.total_minor == 600_000
    assert found.to_buyers.total_minor == 600_000 - (invoice.total_minor if prepaid else 0)
    late = AFTER + timedelta(days=70)
    payouts.release_due(now=late)
    for now in (AFTER, late):
        found = look(now)
        assert (found.receivables.difference_minor, found.payables.difference_minor) == (0, 0)
    if not prepaid:
        assert list(named(found.receivables)) == ["31 to 60"]
    assert list(named(found.payables)) == ["free for up to 7 days"]


def test_payables_stay_the_ledgers_through_a_reserve_and_a_payout() -> None:
    cast = casts.make()
    keep_back(100_000)
    owe(cast, 373_120)
    assert named(look(MONDAY).payables) == {"kept back": 37_312, "free for up to 7 days": 335_808}
    paying.make_due(now=MONDAY)
    paying.approve(cast.approver, the_payout().id, now=MONDAY)
    paying.send(cast.clerk, the_payout().id, now=MONDAY)
    found = look(MONDAY)
    assert (named(found.payables), found.payables.difference_minor) == ({"kept back": 37_312}, 0)
    assert named(found.to_providers) == {"Provider reserve": 37_312, "Payouts in transit": 335_808}
    payouts.release_due(now=DUE + timedelta(days=30))
    found = look(DUE + timedelta(days=40))
    assert (named(found.payables), found.payables.difference_minor) == ({"free for 8 to 30": 37_312}, 0)


def test_bars_are_shares_of_the_largest() -> None:
    chart = charts.bar_chart([("a", 100), ("b", -50), ("c", 0)])
    assert [(bar.length, bar.is_negative) for bar in chart.bars] == [
        (charts.WIDTH, False),
        (charts.WIDTH // 2, True),
        (0, False),
    ]
    assert charts.bar_chart([]).height == 0
    assert charts.bar_chart([("a", 0)]).bars[0].length == 0


def test_columns_stand_on_one_line_and_losses_hang_from_it() -> None:
    chart = charts.column_chart([("1", 300), ("2", -100), ("3", 0)])
    gain, loss, none = chart.columns
    assert gain.y + gain.height == chart.base == loss.y
    assert gain.height == pytest.approx(3 * loss.height, abs=3)
    assert none.height == 0
    assert max(column.y + column.height for column in chart.columns) < chart.height
