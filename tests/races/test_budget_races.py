"""Many orders at once never take more than a project's budget; a credit limit is decided once."""

from functools import partial

import pytest

from accounts.actors.actor import Capability
from accounts.foundation import ids
from billing.budgets.models import ProjectBudget
from billing.ledger import queries as books
from billing.ledger import services as ledger
from billing.ledger.rules import Source
from billing.wallets import services
from catalog.measures.money import Money
from tests.billing.ledger.books import NOW, party, top_up
from tests.billing.payments.cast import person
from tests.races.together import refusals, together

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_budget_is_never_overshot_by_orders_at_the_same_moment() -> None:
    lab = party("Beichen AI Lab")
    top_up(lab, 1_000_000)
    principal = person(lab, "principal", Capability.MANAGE_MEMBERS)
    limit = 0
    for _ in range(5):
        limit += 1_000
        services.set_budget(principal, lab.project_id, Money(limit, "CNY"), now=NOW)
        place = partial(ledger.place_hold, lab.id, 300, currency="CNY", project_id=lab.project_id, now=NOW)
        steps = [partial(place, source=Source("order", ids.new_id(), "order")) for _ in range(8)]
        results = together(
            [*steps, partial(services.set_budget, principal, lab.project_id, Money(limit, "CNY"), now=NOW)]
        )
        row = ProjectBudget.objects.get()
        assert row.held_minor == books.funds(lab.id, "CNY").held_minor
        assert row.limit_minor - 300 < row.held_minor <= row.limit_minor
        assert refusals(results) >= 4


def test_a_credit_limit_is_decided_once() -> None:
    lab, house = party("Beichen AI Lab"), party("Operator")
    clerk = person(house, "clerk", Capability.OPERATE_BOOKS)
    approver = person(house, "approver", Capability.APPROVE_BOOKS)
    change = services.propose_credit(clerk, lab.id, Money(500, "CNY"), reason="x", now=NOW)
    decide = partial(services.decide_credit, approver, change.id, now=NOW)
    results = together([partial(decide, is_approved=place % 2 == 0) for place in range(6)])
    assert refusals(results) == 5
    change.refresh_from_db()
    assert books.funds(lab.id, "CNY").credit_limit_minor == (500 if change.status == "approved" else 0)
