"""Reads the terms that a new contract takes over: parties, offerings, rate cards, fees and taxes in force."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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
from catalog.offerings.models import Offering, RateCard

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


def return_credit_at(instant: datetime) -> int:
    """Return the credit (ppm) of what is handed back, for offers that state none; raises NoFeeSchedule."""
    schedule = FeeSchedule.objects.filter(effective_from__lte=instant).order_by("-effective_from").first()
    if schedule is None:
        raise NoFeeSchedule(f"in force at {instant.isoformat()}")
    return schedule.return_credit_ppm


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
    return Known(
        exchange, parties, listed, offerings.current_rate_cards(listed.values(), at) if listed else {}, _tax_rates()
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
            _offering(known, offering_id, unit=unit, currency=currency) for offering_id, unit in sorted(units.items())
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


def _offering(known: Known, offering_id: UUID, *, unit: str, currency: str) -> OfferingTerms:
    offering, card = known.offerings[offering_id], known.rate_cards.get(offering_id)
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
