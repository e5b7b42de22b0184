"""Makes what the tests of billing stand on: parties, an offering, a funded contract, and reports of its delivery."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.foundation import ids
from accounts.organisations.models import Organisation
from accounts.organisations.rules import OrganisationKind
from accounts.projects.models import Project
from billing.contracts import rules as contract_rules
from billing.contracts import services as contracts
from billing.contracts.models import Contract
from billing.contracts.terms import SlotTerms
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.models import Hold
from billing.ledger.rules import Source, credit, debit
from billing.usage import services as usage
from billing.usage.models import MeteringPoint
from billing.usage.services import ItemResult
from catalog.offerings.models import Offering
from tests.catalog import cast

DAY = datetime(2026, 5, 10, 16, tzinfo=UTC)  # 00:00 of delivery day D in Shanghai
PLACED = DAY - timedelta(hours=4)
AFTER = DAY + timedelta(hours=24, minutes=10)
SYSTEM = Actor.system("test")


@dataclass(frozen=True)
class Stage:
    """One exchange, one provider with one offering, one buyer."""

    exchange: Organisation
    provider: Organisation
    buyer: Organisation
    offering: Offering

    @property
    def agent(self) -> Actor:
        """The provider's metering program."""
        return cast.acting_for(self.provider, frozenset({Capability.METER}))

    @property
    def trader(self) -> Actor:
        """A person of the buyer who may spend."""
        return cast.acting_for(self.buyer, cast.BUYING)

    @property
    def seller(self) -> Actor:
        """A person of the provider."""
        return cast.acting_for(self.provider, cast.SELLING)

    @property
    def finance(self) -> Actor:
        """A clerk of the exchange."""
        return cast.acting_for(self.exchange, frozenset({Capability.VIEW_BOOKS, Capability.OPERATE_BOOKS}))


def stage() -> Stage:
    """Set up the exchange with Huailai Compute and Beichen AI Lab."""
    exchange = cast.organisation("Exchange", kind=OrganisationKind.OPERATOR, can_operate=True)
    operator = cast.acting_for(exchange, frozenset({Capability.OPERATE}))
    provider = cast.organisation("Huailai Compute", can_sell=True)
    buyer = cast.organisation("Beichen AI Lab", kind=OrganisationKind.LAB, can_buy=True)
    seller = cast.acting_for(provider, cast.SELLING)
    site = cast.listed_site(operator, "zjk-1", name="Zhangjiakou")
    offering = cast.listed_offering(operator, seller, site)
    return Stage(exchange, provider, buyer, offering)


def another(provider_name: str, buyer_name: str, first: Stage) -> Stage:
    """Set up a second provider at the same site, and a second buyer."""
    provider = cast.organisation(provider_name, can_sell=True)
    buyer = cast.organisation(buyer_name, kind=OrganisationKind.SME, can_buy=True)
    operator = cast.acting_for(first.exchange, frozenset({Capability.OPERATE}))
    offering = cast.listed_offering(operator, cast.acting_for(provider, cast.SELLING), first.offering.site)
    return Stage(first.exchange, provider, buyer, offering)


@transaction.atomic
def fund(organisation: Organisation, amount_minor: int) -> None:
    """Put money into a wallet as a bank transfer does."""
    ledger.post(
        Source("top_up", ids.new_id(), "confirm"),
        [debit(Code.BANK, amount_minor), credit(Code.WALLET, amount_minor, organisation.id)],
        currency="CNY",
        effective_at=PLACED,
        now=PLACED,
    )


def at(hour: float) -> datetime:
    """Return an instant of the delivery day in Shanghai's wall time."""
    return DAY + timedelta(hours=hour)


def slot(stage: Stage, start: float, end: float, quantity: int, price_micros: int) -> SlotTerms:
    """Return a run of the price schedule."""
    return SlotTerms(stage.offering.id, at(start), at(end), quantity, "card_hours", price_micros)


def hold(stage: Stage, amount_minor: int, order_id: UUID) -> Hold:
    """Hold funds of the buyer for an order."""
    return ledger.place_hold(
        stage.buyer.id,
        amount_minor,
        currency="CNY",
        source=Source("order", order_id, "fill"),
        project_id=Project.objects.get(organisation=stage.buyer).id,
        now=PLACED,
    )


@transaction.atomic
def contract(stage: Stage, slots: Sequence[SlotTerms], *, prepaid: bool = True, reserve_minor: int = 0) -> Contract:
    """Open a contract over the slots, with a hold of its cleared value and reserve if it is prepaid."""
    order_id = ids.new_id()
    value = contract_rules.value_of(slots, currency="CNY")
    share = contract_rules.worst_case(value, fee_ppm=10_000, tax_ppm=60_000).total_minor
    return contracts.open_contract(
        SYSTEM,
        source=Source("order", order_id, "fill"),
        buyer_id=stage.buyer.id,
        provider_id=stage.provider.id,
        project_id=Project.objects.get(organisation=stage.buyer).id,
        market_code="ai-cards",
        currency="CNY",
        slots=slots,
        hold_id=hold(stage, share + reserve_minor, order_id).id if prepaid else None,
        reserve_minor=reserve_minor,
        now=PLACED,
    )


def point(agreed: Contract, offering: Offering) -> MeteringPoint:
    """Meter the whole window of a contract as one lease."""
    return usage.open_point(
        agreed,
        offering_id=offering.id,
        reference_id=ids.new_id(),
        quantity=max(run.quantity for run in agreed.slots.all()),
        starts_at=agreed.starts_at,
        ends_at=agreed.ends_at,
        now=PLACED,
    )


def event(event_id: str, kind: str, data: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    """Spell a CloudEvent."""
    types = {
        "segment": "exchange.allocation.segment.v1",
        "reading": "exchange.meter.reading.v1",
        "reversal": "exchange.correction.v1",
    }
    given = {"specversion": "1.0", "id": event_id, "source": "//agent/zjk-1", "type": types[kind], "data": data}
    return given | attributes


def segment(metered: MeteringPoint, event_id: str, start: float, end: float, quantity: int) -> dict[str, Any]:
    """Spell an allocation segment."""
    return event(event_id, "segment", span(metered, start, end) | {"quantity": quantity})


def reading(
    metered: MeteringPoint, event_id: str, start: float, end: float, quantity: str, meter: str = "egress_gb"
) -> dict[str, Any]:
    """Spell a meter reading."""
    return event(event_id, "reading", span(metered, start, end) | {"quantity": quantity, "meter": meter})


def reversal(event_id: str, reversed_id: str) -> dict[str, Any]:
    """Spell a correction."""
    return event(event_id, "reversal", {"reverses": {"source": "//agent/zjk-1", "id": reversed_id}})


def span(metered: MeteringPoint, start: float, end: float) -> dict[str, Any]:
    """Spell a lease and an interval of the delivery day."""
    return {
        "lease": ids.spell("lse", metered.reference_id),
        "start": at(start).isoformat(),
        "end": at(end).isoformat(),
    }


def report(stage: Stage, events: Iterable[object], *, now: datetime = AFTER) -> list[ItemResult]:
    """Send events as the provider's agent; all must be accepted."""
    results = usage.ingest(stage.agent, list(events), now=now)
    assert {result.status for result in results} == {"accepted"}, results
    return results
