"""Reads the terms that a new contract takes over: parties, offerings, rate cards, fees and taxes in force."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from accounts.organisations.models import LegalEntity, Organisation
from billing.contracts.errors import NoFeeSchedule, NoLegalEntity, NoTaxRate
from billing.contracts.models import FeeSchedule, TaxRate
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
from catalog.measures.interval import Interval
from catalog.offerings import cells
from catalog.offerings import queries as offerings
from catalog.offerings.models import Offering

STANDARD = "S"
OUT_OF_SCOPE = "O"


def fees_at(instant: datetime) -> FeeTerms:
    """Return the fee schedule in force at an instant; raises NoFeeSchedule."""
    schedule = FeeSchedule.objects.filter(effective_from__lte=instant).order_by("-effective_from").first()
    if schedule is None:
        raise NoFeeSchedule(f"in force at {instant.isoformat()}")
    return _fee_terms(schedule)


def fees_of(version: int) -> FeeTerms:
    """Return a fee schedule by its version; raises NoFeeSchedule."""
    schedule = FeeSchedule.objects.filter(version=version).first()
    if schedule is None:
        raise NoFeeSchedule(f"of version {version}")
    return _fee_terms(schedule)


def sales_tax_at(instant: datetime) -> TaxTerms:
    """Return the rate that the exchange adds to what it sells; raises NoLegalEntity, NoTaxRate."""
    moment = Interval(instant, instant + timedelta(microseconds=1))
    return tax_at(_taxes(_exchange(instant), moment), instant)


def terms_for(
    *,
    buyer_id: UUID,
    provider_id: UUID,
    slots: Sequence[SlotTerms],
    market_code: str,
    currency: str,
    window: Interval,
    fees: FeeTerms,
    at: datetime,
) -> Terms:
    """Return the terms in force at an instant for a contract over a window.

    Offerings come in the order of their ids. Raises NoLegalEntity and NoTaxRate.
    """
    buyer, provider = _member(buyer_id, at), _member(provider_id, at)
    exchange = _exchange(at)
    units = {slot.offering_id: slot.unit for slot in slots}
    listed = Offering.objects.filter(id__in=units).select_related("site__hub", "resource_type").order_by("id")
    return Terms(
        market_code=market_code,
        merchant_of_record=MerchantOfRecord.EXCHANGE,
        exchange=exchange,
        buyer=buyer,
        provider=provider,
        offerings=tuple(_offering(offering, at, unit=units[offering.id], currency=currency) for offering in listed),
        fees=fees,
        sales_taxes=_taxes(exchange, window),
        purchase_taxes=_taxes(provider, window),
    )


def _fee_terms(schedule: FeeSchedule) -> FeeTerms:
    return FeeTerms(schedule.version, schedule.buyer_fee_ppm, schedule.provider_commission_ppm)


def _exchange(at: datetime) -> PartyTerms:
    operator = Organisation.objects.get(can_operate=True)
    entity = _legal_entity(operator, at)
    if entity is None:
        raise NoLegalEntity(operator.name, at.isoformat())
    return _party(operator, entity)


def _member(organisation_id: UUID, at: datetime) -> PartyTerms:
    organisation = Organisation.objects.get(id=organisation_id)
    return _party(organisation, _legal_entity(organisation, at))


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


def _legal_entity(organisation: Organisation, at: datetime) -> LegalEntity | None:
    in_force = Q(effective_to__isnull=True) | Q(effective_to__gt=at)
    return LegalEntity.objects.filter(in_force, organisation=organisation, effective_from__lte=at).first()


def _offering(offering: Offering, at: datetime, *, unit: str, currency: str) -> OfferingTerms:
    card = offerings.current_rate_card(offering, at)
    if card is not None and card.currency != currency:
        card = None  # a contract is invoiced in one currency; its meters have no price in this one
    rates = sorted(card.items.all(), key=lambda item: item.meter) if card else ()
    return OfferingTerms(
        offering_id=offering.id,
        unit=unit,
        cell=cells.code(offering),
        name=offering.resource_type.name,
        resource=offering.resource_type.code,
        site=offering.site.code,
        place=offering.site.name,
        sla_credit_ppm=offering.sla_credit_ppm,
        rate_card_version=card.version if card else None,
        rates=tuple(RateTerms(rate.meter, rate.price_micros, rate.base_quantity) for rate in rates),
    )


def _taxes(party: PartyTerms, window: Interval) -> tuple[TaxTerms, ...]:
    """Return the rates for what a party supplies that are in force during a window, without gaps, by time."""
    if not party.vat_registered:
        return (TaxTerms(party.jurisdiction, OUT_OF_SCOPE, 0, window.start),)
    overlapping = Q(effective_to__isnull=True) | Q(effective_to__gt=window.start)
    rows = TaxRate.objects.filter(
        overlapping, jurisdiction=party.jurisdiction, category=STANDARD, effective_from__lt=window.end
    ).order_by("effective_from")
    taxes = tuple(TaxTerms(r.jurisdiction, r.category, r.rate_ppm, r.effective_from, r.effective_to) for r in rows)
    reached = window.start
    for tax in taxes:
        if tax.effective_from > reached:
            break
        reached = tax.effective_to or window.end
    if reached < window.end:
        raise NoTaxRate(party.jurisdiction, STANDARD, reached.isoformat())
    return taxes
