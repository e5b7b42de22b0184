"""Invoices to ask fapiao for, and the records that the tax bureau's platform would give."""

from datetime import timedelta

from billing.contracts import services as contracts
from billing.fapiao import services, titles
from billing.fapiao.models import Fapiao, FapiaoTitle
from billing.fapiao.rules import Issued, Kind
from billing.fapiao.titles import TitleSpec
from billing.invoices import services as invoices
from billing.invoices.models import Invoice
from billing.periods.rules import BOOKS_ZONE
from tests.billing import delivery
from tests.billing.delivery import AFTER, Stage

USCC = "91350100M000100Y43"  # the example of the standard
LATER = AFTER + timedelta(hours=1)
FULL = TitleSpec("北辰人工智能实验室", USCC, "张家口市怀来县 1 号", "0313-123456", "中国银行", "6222020200112233")


def stage() -> Stage:
    """Return a funded stage."""
    made = delivery.stage()
    delivery.fund(made.buyer, 500_000)
    return made


def invoice(stage: Stage, series: str = "a", *, cards: int = 4) -> Invoice:
    """Bill ten hours of some cards at 10.00."""
    agreed = delivery.contract(stage, [delivery.slot(stage, 0, 10, cards, 10_000_000)])
    metered = delivery.point(agreed, stage.offering)
    delivery.report(stage, [delivery.segment(metered, f"{series}-s", 0, 10, cards)])
    contracts.end(delivery.SYSTEM, agreed.id, now=AFTER)
    drawn = invoices.invoice_contract(delivery.SYSTEM, agreed.id, now=AFTER)
    assert drawn is not None
    return drawn


def title(stage: Stage) -> FapiaoTitle:
    """Enter a title that says everything."""
    return titles.enter(stage.trader, FULL, now=AFTER)


def asked(stage: Stage, *drawn: Invoice, kind: Kind = Kind.SPECIAL) -> Fapiao:
    """Ask for one over invoices."""
    found = FapiaoTitle.objects.filter(organisation=stage.buyer, ended_at=None).first() or title(stage)
    return services.ask(stage.trader, found.id, kind, [one.id for one in drawn], now=AFTER)


def number(n: int) -> str:
    """Return the n-th number."""
    return f"{n:020d}"


def said(fapiao: Fapiao, n: int) -> Issued:
    """Return what the bureau's platform shows of a fapiao: the n-th number, on the day after delivery."""
    return Issued(number(n), LATER.astimezone(BOOKS_ZONE).date(), fapiao.total_minor)


def record(stage: Stage, fapiao: Fapiao, n: int) -> Fapiao:
    """Record a fapiao as issued."""
    return services.record(stage.finance, fapiao.id, said(fapiao, n), now=LATER)
