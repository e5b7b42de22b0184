"""Reads the terms that a new contract takes over: parties, offerings, rate cards, fees and taxes in force."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Q

from accounts.organisations.models import LegalEntity, Organisation
from billing.contracts.errors import NoFeeSchedule, NoLegalEntity, NoTaxRate
from billing.contracts.models import FeeSchedule, TaxRate
from billing.contracts.rates import AdjustmentTerms, CoefficientTerms
from billing.contracts.terms import (
    FeeTerms,
    MerchantOfRecord,
    OfferingTerms,
    PartyTerms,
    RateTerms,
    SlotTerms,
    TaxTerms,
    Terms,
    tax_at,
)
from billing.pricing import queries as pricing
from billing.pricing.models import PriceAdjustment
from catalog.measures.interval import Interval
from catalog.offerings import cells
from catalog.offerings import queries as offerings
from catalog.offerings.models import Offering, RateCard

STANDARD = "S"
OUT_OF_SCOPE = "O"


def fees_at(instant: datetime) -> FeeTerms:
    """Return the fee schedule in force at an instant; raises NoFeeSchedule."""
    return _fee_terms(_schedule_at(instant))


def fees_of(version: int) -> FeeTerms:
    """Return a fee schedule by its version; raises NoFeeSchedule."""
    schedule = FeeSchedule.objects.filter(version=version).first()
    if schedule is None:
        raise NoFeeSchedule(f"of version {version}")
    return _fee_terms(schedule)


@dataclass(frozen=True, slots=True)
class Credits:
    """What of the price (ppm) is credited for units that are handed back or paused, and kept of what is sold back."""

    return_ppm: int
    pause_ppm: int
    resale_commission_ppm: int


def credits_at(instant: datetime) -> Credits:
    """Return the credits of offers that state none, as in force at an instant; raises NoFeeSchedule."""
    schedule = _schedule_at(instant)
    return Credits(schedule.return_credit_ppm, schedule.pause_credit_ppm, schedule.resale_commission_ppm)


def _schedule_at(instant: datetime) -> FeeSchedule:
    schedule = FeeSchedule.objects.filter(effective_from__lte=instant).order_by("-effective_from").first()
    if schedule is None:
        raise NoFeeSchedule(f"in force at {instant.isoformat()}")
    return schedule


def sales_tax_at(instant: datetime) -> TaxTerms:
    """Return the rate that the exchange adds to what it sells; raises NoLegalEntity, NoTaxRate."""
    known = look_up((), (), at=instant)
    moment = Interval(instant, instant + timedelta(microseconds=1))
    return tax_at(_taxes(known, known.exchange, moment), instant)


@dataclass(frozen=True, slots=True)
class Known:
    """What contracts that are drafted at an instant take over from tables, read once for all of them."""

    exchange: PartyTerms
    parties: Mapping[UUID, PartyTerms]
    offerings: Mapping[UUID, Offering]
    rate_cards: Mapping[UUID, RateCard]
    tax_rates: Mapping[str, Sequence[TaxTerms]]  # by jurisdiction and in the order of time
    at: datetime
    announced: Mapping[UUID, Sequence[RateCard]]  # prices to come, by offering and in the order of time
    pricing: pricing.DatedPrices


def look_up(organisation_ids: Iterable[UUID], offering_ids: Iterable[UUID], *, at: datetime) -> Known:
    """Read what contracts among these organisations over these offerings take over; raises NoLegalEntity.

    The number of queries does not grow with the contracts.
    """
    members = Organisation.objects.filter(Q(id__in=set(organisation_ids)) | Q(can_operate=True))
    in_force = Q(effective_to__isnull=True) | Q(effective_to__gt=at)
    entities = {
        entity.organisation_id: entity
        for entity in LegalEntity.objects.filter(in_force, organisation__in=members, effective_from__lte=at)
    }
    parties: dict[UUID, PartyTerms] = {}
    exchange = None
    for member in members:
        parties[member.id] = _party(member, entities.get(member.id))
        if member.can_operate:
            if member.id not in entities:
                raise NoLegalEntity(member.name, at.isoformat())
            exchange = parties[member.id]
    assert exchange is not None, "somebody runs the exchange"
    found = Offering.objects.filter(id__in=set(offering_ids)).select_related("site__hub", "resource_type")
    listed = {offering.id: offering for offering in found}
    cards = offerings.current_rate_cards(listed.values(), at) if listed else {}
    return Known(
        exchange=exchange,
        parties=parties,
        offerings=listed,
        rate_cards=cards,
        tax_rates=_tax_rates(),
        at=at,
        announced=offerings.announced_rate_cards(listed.values(), at) if listed else {},
        pricing=pricing.in_force(listed.values(), parties, at=at),
    )


def terms_for(
    known: Known,
    *,
    buyer_id: UUID,
    provider_id: UUID,
    slots: Sequence[SlotTerms],
    market_code: str,
    currency: str,
    window: Interval,
    fees: FeeTerms,
) -> Terms:
    """Return the terms of a contract over a window. Offerings come in the order of their ids. Raises NoTaxRate."""
    units = {slot.offering_id: slot.unit for slot in slots}
    provider = known.parties[provider_id]
    return Terms(
        market_code=market_code,
        merchant_of_record=MerchantOfRecord.EXCHANGE,
        exchange=known.exchange,
        buyer=known.parties[buyer_id],
        provider=provider,
        offerings=tuple(
            _offering(known, offering_id, buyer_id, window, unit=unit, currency=currency)
            for offering_id, unit in sorted(units.items())
        ),
        fees=fees,
        sales_taxes=_taxes(known, known.exchange, window),
        purchase_taxes=_taxes(known, provider, window),
    )


def _fee_terms(schedule: FeeSchedule) -> FeeTerms:
    return FeeTerms(schedule.version, schedule.buyer_fee_ppm, schedule.provider_commission_ppm)


def _party(organisation: Organisation, entity: LegalEntity | None) -> PartyTerms:
    """Return a party as the law knows it; one without a legal entity is taken by its name, outside of VAT."""
    return PartyTerms(
        organisation_id=organisation.id,
        name=organisation.name,
        legal_name=entity.legal_name if entity else organisation.name,
        tax_id=entity.tax_id if entity else organisation.uscc,
        jurisdiction=entity.jurisdiction if entity else organisation.country,
        address=entity.address if entity else "",
        vat_registered=entity.vat_registered if entity else False,
    )


def _offering(
    known: Known, offering_id: UUID, buyer_id: UUID, window: Interval, *, unit: str, currency: str
) -> OfferingTerms:
    offering = known.offerings[offering_id]
    rates = _rates(known, offering_id, window, currency=currency)
    card = known.rate_cards.get(offering_id)
    precisions = {rate.precision for rate in rates if rate.precision}
    return OfferingTerms(
        offering_id=offering.id,
        unit=unit,
        cell=cells.code(offering),
        name=offering.resource_type.name,
        resource=offering.resource_type.code,
        site=offering.site.code,
        place=offering.site.name,
        sla_credit_ppm=offering.sla_credit_ppm,
        rate_card_version=card.version if card is not None and card.currency == currency else None,
        rates=rates,
        adjustments=tuple(
            AdjustmentTerms(_reason(row), row.factor_ppm, time.start, time.end, row.meter)
            for row, time in pricing.adjustments_for(known.pricing, offering, buyer_id, window)
        ),
        coefficients=tuple(
            CoefficientTerms(row.precision, row.coefficient_ppm, row.version, row.effective_from, row.effective_to)
            for row in known.pricing.coefficients
            if row.precision in precisions and row.effective_from < window.end
        ),
        rated_tflops=_rated_tflops(offering) if precisions else None,
    )


def _rates(known: Known, offering_id: UUID, window: Interval, *, currency: str) -> tuple[RateTerms, ...]:
    """Return the prices in force and those announced for the window, by meter and time.

    A contract is invoiced in one currency: a card in another one has no price in this. What is announced changes a
    price; it does not begin to charge for what was free.
    """
    current = known.rate_cards.get(offering_id)
    later = [card for card in known.announced.get(offering_id, ()) if card.effective_from < window.end]
    rates = [
        RateTerms(
            meter=item.meter,
            price_micros=item.price_micros,
            base_quantity=item.base_quantity,
            model=item.tariff.model,
            tiers=item.tariff.tiers,
            minimum_micros=item.minimum_micros,
            period=item.tariff.period,
            precision=item.precision,
            effective_from=None if card is current else card.effective_from,
        )
        for card in ([current] if current is not None else []) + later
        if card.currency == currency
        for item in card.items.all()
    ]
    priced = {rate.meter for rate in rates if rate.effective_from is None}
    in_order = sorted(rates, key=lambda rate: (rate.meter, rate.effective_from or known.at))
    return tuple(rate for rate in in_order if rate.meter in priced)


def _reason(row: PriceAdjustment) -> str:
    named = [f"class {row.customer_class}" if row.customer_class else "", f"quality {row.qos}" if row.qos else ""]
    return ", ".join(name for name in named if name) or "every customer"


def _rated_tflops(offering: Offering) -> Decimal | None:
    return offering.resource_type.fp16_dense_tflops if offering.rated_tflops is None else offering.rated_tflops


def _tax_rates() -> dict[str, list[TaxTerms]]:
    rates: dict[str, list[TaxTerms]] = {}
    for row in TaxRate.objects.filter(category=STANDARD).order_by("effective_from"):
        rates.setdefault(row.jurisdiction, []).append(
            TaxTerms(row.jurisdiction, row.category, row.rate_ppm, row.effective_from, row.effective_to)
        )
    return rates


def _taxes(known: Known, party: PartyTerms, window: Interval) -> tuple[TaxTerms, ...]:
    """Return the rates for what a party supplies that are in force during a window, without gaps, by time."""
    if not party.vat_registered:
        return (TaxTerms(party.jurisdiction, OUT_OF_SCOPE, 0, window.start),)
    taxes = tuple(
        tax
        for tax in known.tax_rates.get(party.jurisdiction, ())
        if tax.effective_from < window.end and (tax.effective_to is None or tax.effective_to > window.start)
    )
    reached = window.start
    for tax in taxes:
        if tax.effective_from > reached:
            break
        reached = tax.effective_to or window.end
    if reached < window.end:
        raise NoTaxRate(party.jurisdiction, STANDARD, reached.isoformat())
    return taxes
