"""Contracts: terms as of the day, a schedule without two prices at once, and a life of few steps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from accounts.audit.models import AuditRecord
from accounts.events.models import Event
from accounts.foundation import ids
from billing.contracts import drafting, rules, terms
from billing.contracts import services as contracts
from billing.contracts.errors import ContractCannotMove, NoFeeSchedule, NoLegalEntity, NoSuchContract, NoTaxRate
from billing.contracts.models import Contract, ContractSlot, TaxRate
from billing.contracts.rules import MOVES, ContractStatus, TerminationReason
from billing.contracts.terms import Terms
from billing.ledger.rules import Source
from billing.usage import services as usage
from tests.billing import delivery
from tests.billing.delivery import AFTER, DAY, PLACED, SYSTEM, Stage
from tests.billing.rating import worlds


@pytest.fixture
def stage(db: None) -> Stage:
    stage = delivery.stage()
    delivery.fund(stage.buyer, 1_000_000)
    return stage


def signed(stage: Stage) -> Contract:
    return delivery.contract(
        stage, [delivery.slot(stage, 0, 8, 16, 9_000_000), delivery.slot(stage, 8, 20, 16, 10_000_000)]
    )


def test_a_contract_keeps_parties_offering_prices_fees_and_taxes_of_its_day(stage: Stage) -> None:
    contract = signed(stage)
    agreed = Terms.from_document(contract.terms)
    assert (agreed.exchange.name, agreed.buyer.name, agreed.provider.name) == (
        "Exchange",
        "Beichen AI Lab",
        "Huailai Compute",
    )
    (offering,) = agreed.offerings
    assert (offering.cell, offering.name, offering.place, offering.sla_credit_ppm) == (
        "zjk-1/ascend-910b3/roce",
        "Ascend 910B3",
        "Zhangjiakou",
        100_000,
    )
    assert [(rate.meter, rate.price_micros) for rate in offering.rates] == [("egress_gb", 500_000)]
    assert (agreed.fees.version, agreed.fees.buyer_fee_ppm, agreed.fees.provider_commission_ppm) == (1, 10_000, 40_000)
    assert [(tax.category, tax.rate_ppm) for tax in agreed.sales_taxes] == [("S", 60_000)]
    assert (contract.merchant_of_record, contract.market_code) == ("exchange", "ai-cards")
    slots = [
        terms.SlotTerms(row.offering_id, row.starts_at, row.ends_at, row.quantity, row.unit, row.price_micros)
        for row in contract.slots.all()
    ]
    assert terms.digest(contract.terms, slots) == contract.terms_digest


def test_terms_survive_their_document() -> None:
    agreed = worlds.terms()
    assert Terms.from_document(agreed.to_document()) == agreed
    with pytest.raises(ValueError, match="contract-terms/1"):
        Terms.from_document({"format": "contract-terms/2"})


def test_the_digest_covers_the_schedule_and_not_its_order() -> None:
    document = worlds.terms().to_document()
    day, night = (
        terms.SlotTerms(worlds.OFFERING, worlds.second(start), worlds.second(start + 60), 4, "card_hours", price)
        for start, price in ((0, 10_000_000), (60, 9_000_000))
    )
    digest = terms.digest(document, rules.in_order([day, night]))
    assert digest == terms.digest(document, rules.in_order([night, day]))
    assert digest != terms.digest(document, [day])


def test_one_source_and_provider_have_one_contract(stage: Stage) -> None:
    contract = signed(stage)
    with pytest.raises(IntegrityError, match="contract_one_per_source_and_provider"), transaction.atomic():
        contracts.open_contract(
            SYSTEM,
            source=Source("order", contract.source_id, "fill"),
            buyer_id=stage.buyer.id,
            provider_id=stage.provider.id,
            project_id=contract.project_id,
            market_code="ai-cards",
            currency="CNY",
            slots=[delivery.slot(stage, 0, 1, 1, 1)],
            hold_id=None,
            now=PLACED,
        )


def test_an_offering_has_one_price_at_a_time(stage: Stage) -> None:
    contract = signed(stage)
    with pytest.raises(IntegrityError, match="contract_slot_one_at_a_time"), transaction.atomic():
        ContractSlot.objects.create(
            contract=contract,
            offering=stage.offering,
            starts_at=delivery.at(7),
            ends_at=delivery.at(9),
            quantity=1,
            unit="card_hours",
            price_micros=1,
        )


def test_a_share_is_at_most_what_the_order_holds(stage: Stage) -> None:
    order_id = ids.new_id()
    held = delivery.hold(stage, 1_000, order_id)
    contract = contracts.open_contract(
        SYSTEM,
        source=Source("order", order_id, "fill"),
        buyer_id=stage.buyer.id,
        provider_id=stage.provider.id,
        project_id=held.project_id,
        market_code="ai-cards",
        currency="CNY",
        slots=[delivery.slot(stage, 0, 1, 1, 10_000_000)],
        hold_id=held.id,
        hold_at_most_minor=1_000,
        now=PLACED,
    )
    assert (contract.share_minor, contract.held_minor) == (1_071, 1_000)


def test_the_last_step_is_for_good_and_repeating_an_end_changes_nothing(stage: Stage) -> None:
    contract = signed(stage)
    assert contracts.begin(SYSTEM, contract.id, now=DAY).status == "active"
    assert contracts.begin(SYSTEM, contract.id, now=DAY).status == "active"
    ended = contracts.end(SYSTEM, contract.id, now=AFTER)
    again = contracts.end(SYSTEM, contract.id, now=AFTER + timedelta(hours=1))
    assert ended.ended_at == again.ended_at == AFTER
    assert contracts.terminate(SYSTEM, contract.id, TerminationReason.MUTUAL, now=AFTER).status == "ended"
    with pytest.raises(ContractCannotMove):
        contracts.begin(SYSTEM, contract.id, now=AFTER)
    with pytest.raises(NoSuchContract):
        contracts.begin(SYSTEM, ids.new_id(), now=AFTER)


def test_every_step_leaves_an_audit_record_and_an_event_for_both_parties(stage: Stage) -> None:
    contract = signed(stage)
    contracts.begin(SYSTEM, contract.id, now=DAY)
    actions = list(AuditRecord.objects.filter(subject_id=contract.id).order_by("at").values_list("action", flat=True))
    assert actions == ["contract.opened", "contract.active"]
    told = Event.objects.filter(subject_id=contract.id, type="contract.active")
    assert set(told.values_list("organisation_id", flat=True)) == {stage.buyer.id, stage.provider.id}


def test_a_gap_in_the_reference_data_stops_the_contract_and_is_named(stage: Stage) -> None:
    with pytest.raises(NoFeeSchedule):
        drafting.fees_of(99)
    with pytest.raises(NoFeeSchedule):
        drafting.fees_at(datetime(2019, 1, 1, tzinfo=UTC))
    with pytest.raises(NoLegalEntity, match="Exchange"):
        drafting.sales_tax_at(datetime(2021, 1, 1, tzinfo=UTC))
    TaxRate.objects.filter(category="S").update(effective_to=delivery.at(10))
    with pytest.raises(NoTaxRate, match="S in CN"):
        signed(stage)


def test_a_rate_that_changes_during_the_contract_is_written_into_it(stage: Stage) -> None:
    TaxRate.objects.filter(category="S").update(effective_to=delivery.at(10))
    TaxRate.objects.create(
        jurisdiction="CN", category="S", rate_ppm=90_000, effective_from=delivery.at(10), source="made for a test"
    )
    contract = signed(stage)
    agreed = Terms.from_document(contract.terms)
    assert [tax.rate_ppm for tax in agreed.sales_taxes] == [60_000, 90_000]
    # The share of the hold covers the higher rate.
    assert contract.share_minor == rules.worst_case(contract.value_minor, fee_ppm=10_000, tax_ppm=90_000).total_minor


def test_leases_of_one_contract_and_offering_are_metered_one_after_the_other(stage: Stage) -> None:
    contract = signed(stage)
    delivery.point(contract, stage.offering)
    with pytest.raises(IntegrityError, match="metering_point_one_at_a_time"), transaction.atomic():
        delivery.point(contract, stage.offering)
    point = contract.metering_points.get()
    closed = usage.close_point(point.reference_id, now=AFTER)
    assert usage.close_point(point.reference_id, now=AFTER + timedelta(hours=1)).closed_at == closed.closed_at


def test_every_move_leads_somewhere_and_settled_is_the_end() -> None:
    assert set(MOVES) == set(ContractStatus)
    assert MOVES[ContractStatus.SETTLED] == frozenset()
    seen: set[ContractStatus] = set()
    reached = {ContractStatus.SCHEDULED}
    while reached - seen:
        status = (reached - seen).pop()
        seen.add(status)
        reached |= MOVES[status]
    assert seen == set(ContractStatus)


@given(worlds.schedules(), st.integers(0, 200_000), st.integers(0, 200_000))
def test_the_worst_case_covers_any_delivery_of_the_schedule(
    slots: tuple[terms.SlotTerms, ...], fee_ppm: int, tax_ppm: int
) -> None:
    value = rules.value_of(slots, currency="CNY")
    worst = rules.worst_case(value, fee_ppm=fee_ppm, tax_ppm=tax_ppm)
    part = rules.worst_case(rules.value_of(slots[:-1], currency="CNY"), fee_ppm=fee_ppm, tax_ppm=tax_ppm)
    assert part.total_minor <= worst.total_minor
    assert worst.total_minor == worst.value_minor + worst.fee_minor + worst.tax_minor
