"""Metered extras have no hold: they are warned of before they are invoiced, and may take a budget beyond its limit."""

from typing import Any

import pytest
from django.db import connection

from accounts.actors.actor import Capability
from accounts.events.models import Event
from accounts.foundation import ids
from accounts.projects.models import Project
from billing.contracts import services as contracts
from billing.contracts.models import Contract
from billing.invoices import services as invoices
from billing.ledger.errors import BudgetExhausted
from billing.rating import services as rating
from billing.wallets import extras, services
from catalog.measures.money import Money
from config.audit.wallets import WALLETS
from tests.billing import delivery
from tests.billing.delivery import AFTER, Stage
from tests.catalog import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Stage:
    stage = delivery.stage()
    delivery.fund(stage.buyer, 100_00)
    return stage


def metered(stage: Stage, gigabytes: str, *, reserve_minor: int = 0) -> Contract:
    """One card for ten hours at 1.00 (10.71 are held), and traffic at 0.50 a GB, rated."""
    agreed = delivery.contract(stage, [delivery.slot(stage, 0, 10, 1, 1_000_000)], reserve_minor=reserve_minor)
    point = delivery.point(agreed, stage.offering)
    delivery.report(
        stage, [delivery.segment(point, "s", 0, 10, 1), delivery.reading(point, "r", 0, 1, gigabytes)], now=AFTER
    )
    rating.rate_ahead(agreed.id, until=AFTER, now=AFTER)
    return agreed


def told(kind: str) -> list[dict[str, Any]]:
    return [event.payload for event in Event.objects.filter(type=kind).order_by("id")]


def unsound() -> list[str]:
    with connection.cursor() as cursor:
        return [one.code for one in WALLETS if one.check(cursor).violations]


def test_a_wallet_is_warned_of_extras_as_they_are_rated_and_not_again_by_their_invoice(stage: Stage) -> None:
    services.set_thresholds(stage.trader, [Money(50_00, "CNY")], now=AFTER)
    agreed = metered(stage, "80")

    # 80 GB at 0.50 and 6 % tax; of 100.00 are 10.71 held.
    assert extras.unbilled_minor(stage.buyer.id, "CNY") == 42_40
    assert [services.watch(now=AFTER), services.watch(now=AFTER)] == [1, 0]
    assert [(one["available"], one["not_invoiced"]) for one in told("wallet.low")] == [("46.89", "42.40")]

    contracts.end(delivery.SYSTEM, agreed.id, now=AFTER)
    invoices.invoice_contract(delivery.SYSTEM, agreed.id, now=AFTER)
    assert extras.unbilled_minor(stage.buyer.id, "CNY") == 0
    assert services.watch(now=AFTER) == 0


def test_only_what_is_beyond_the_reserve_of_an_order_counts(stage: Stage) -> None:
    metered(stage, "80", reserve_minor=40_00)

    assert extras.unbilled_minor(stage.buyer.id, "CNY") == 2_40


def test_extras_beyond_a_budget_are_billed_and_told_and_stop_what_is_new(stage: Stage) -> None:
    principal = cast.acting_for(stage.buyer, frozenset({Capability.MANAGE_MEMBERS, Capability.VIEW_BUYING}))
    project = Project.objects.get(organisation=stage.buyer)
    services.set_budget(principal, project.id, Money(20_00, "CNY"), now=AFTER)
    agreed = metered(stage, "80")

    contracts.end(delivery.SYSTEM, agreed.id, now=AFTER)
    invoice = invoices.invoice_contract(delivery.SYSTEM, agreed.id, now=AFTER)

    assert invoice is not None
    assert invoice.total_minor == 53_11
    assert told("budget.overrun") == [
        {"project": ids.spell("prj", project.id), "budget": "20.00", "overrun": "33.11", "currency": "CNY"}
    ]
    with pytest.raises(BudgetExhausted):
        delivery.hold(stage, 1, ids.new_id())
    assert unsound() == []
