"""An invoice that is half of its provider's statement, and when it is disputed, released and paid."""

from datetime import timedelta
from typing import Final

from billing.contracts import services as contracts
from billing.invoices import services as invoices
from billing.invoices.models import Invoice
from tests.billing import delivery
from tests.billing.delivery import AFTER, Stage

LATER: Final = AFTER + timedelta(hours=1)
RELEASED: Final = AFTER + timedelta(days=8)
MONDAY: Final = AFTER + timedelta(days=21)
HALF: Final = 20 * 10_00 * 96 * 106 // 10_000  # twenty card-hours at 10.00, less 4 %, with 6 % tax


def stage() -> Stage:
    """Return a funded stage."""
    made = delivery.stage()
    delivery.fund(made.buyer, 900_000)
    return made


def drawn(stage: Stage, *, states_first: bool = True, series: str = "a") -> Invoice:
    """Ten hours of four cards: half of them invoiced on demand, the rest at the end; the first invoice is returned."""
    agreed = delivery.contract(stage, [delivery.slot(stage, 0, 10, 4, 10_000_000)])
    metered = delivery.point(agreed, stage.offering)
    delivery.report(stage, [delivery.segment(metered, f"{series}-s1", 0, 5, 4)], now=delivery.at(6))
    first = invoices.invoice_on_demand(stage.trader, agreed.id, now=delivery.at(6))
    delivery.report(stage, [delivery.segment(metered, f"{series}-s2", 5, 10, 4)])
    contracts.end(delivery.SYSTEM, agreed.id, now=AFTER)
    invoices.invoice_contract(delivery.SYSTEM, agreed.id, now=AFTER)
    if states_first:
        invoices.issue_statement(delivery.SYSTEM, agreed.id, now=AFTER)
    return first
