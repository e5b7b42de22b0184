"""Puts parsed offers into a market: regions, sites, providers, offerings with rate cards, and offers."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.organisations.models import Organisation
from accounts.organisations.rules import OrganisationKind
from catalog.measures.interval import HOUR
from catalog.offerings import services as offerings
from catalog.offerings.models import Offering
from catalog.offerings.rules import OfferingStatus
from catalog.offerings.services import OfferingSpec, Rate
from catalog.sites import services as sites
from catalog.sites.models import Site
from catalog.sites.services import SiteSpec
from exchange.imports import loading
from exchange.imports.errors import NothingToImport
from exchange.imports.loading import SYSTEM, Loaded
from exchange.imports.places import Place
from exchange.imports.vast import ParsedOffer, ParsedOffers
from exchange.markets.models import Market
from exchange.offers import services as offers
from exchange.offers.models import Offer
from exchange.offers.rules import LIVE, OfferSpec, OfferTerms

# Nothing is known of the protection of these sites: they get the lowest level that the catalogue has.
SECURITY_LEVEL = 2
SOURCE = "vast"


@transaction.atomic
def load_offers(
    parsed: ParsedOffers,
    *,
    market: Market,
    actor: Actor,
    now: datetime,
    starts_at: datetime,
    ends_at: datetime,
    rate: Decimal | None = None,
) -> Loaded:
    """List every parsed machine and offer it in `[starts_at, ends_at)`, or nothing at all.

    The days of the files are spread evenly over the days of the window: a machine is offered from the day that its
    first file falls on until its host takes it back. A machine that has a live offer in the market already is left
    out. `actor` is the operator on duty, who opens the sites. Raises RateNeeded, NothingToImport, and what offers
    raise when the window does not fit the market.
    """
    actor.require(Capability.OPERATE)
    factor = loading.rate_into(market, parsed.currency, rate)
    left_out: Counter[str] = Counter()
    loader = _Loader(actor, market, factor, now)
    for machine in parsed.offers:
        terms = _terms(machine, parsed.days, market, factor, starts_at=starts_at, ends_at=ends_at)
        if terms.ends_at <= terms.starts_at:
            left_out["ends before its first hour"] += 1
        elif not loading.in_collar(market, terms.reserve_micros):
            left_out["price outside the market's collar"] += 1
        elif not loader.offer(machine, terms):
            left_out["machine offered already"] += 1
    if not loader.entered:
        raise NothingToImport("offer")
    return Loaded(loader.entered, len(loader.providers), loading.tally(parsed.left_out, left_out))


def _terms(
    machine: ParsedOffer,
    days: Sequence[date],
    market: Market,
    factor: Fraction,
    *,
    starts_at: datetime,
    ends_at: datetime,
) -> OfferTerms:
    """Return what is offered of a machine: its first day moved into the window, its end cut to the grid."""
    window_days = max(1, (ends_at - starts_at) // (24 * HOUR))
    first = starts_at + timedelta(days=days.index(machine.day) * window_days // len(days))
    last = min(ends_at, first + (machine.available_until - machine.available_from))
    grid = market.grid_slots * HOUR
    reserve_micros = loading.up_to_tick(market, loading.converted(machine.reserve_micros, factor))
    return OfferTerms(machine.cards, first, first + (last - first) // grid * grid, reserve_micros)


class _Loader:
    """Makes what each machine stands on once: its region, site, provider and offering."""

    def __init__(self, operator: Actor, market: Market, factor: Fraction, now: datetime) -> None:
        self._operator = operator
        self._market = market
        self._factor = factor
        self._now = now
        self._sites: dict[str, Site] = {}
        self.providers: dict[int, Organisation] = {}
        self.entered = 0

    def offer(self, machine: ParsedOffer, terms: OfferTerms) -> bool:
        """Offer one machine; False when it is offered in the market already."""
        provider = self._provider(machine)
        seller = loading.acting_for(provider, Capability.LIST, Capability.VIEW_SELLING)
        offering = self._offering(machine, seller)
        if Offer.objects.filter(market=self._market, offering=offering, status__in=LIVE).exists():
            return False
        spec = OfferSpec(market_id=self._market.id, offering_id=offering.id, terms=terms)
        offers.place(seller, spec, now=self._now, lists_capacity=True)
        self.entered += 1
        return True

    def _offering(self, machine: ParsedOffer, seller: Actor) -> Offering:
        known = Offering.objects.filter(
            provider_id=seller.organisation_id,
            attributes__contains={"source": SOURCE, "machine": str(machine.machine_id)},
            status=OfferingStatus.LISTED,
        ).first()
        if known is not None:
            return known
        spec = OfferingSpec(
            site_id=self._site(machine.place).id,
            resource_type=machine.resource_type,
            name=f"Machine {machine.machine_id}, {machine.cards} x {machine.resource_type}",
            fabric=machine.fabric,
            units_per_machine=machine.cards,
            attributes={
                "source": SOURCE,
                "machine": str(machine.machine_id),
                "ask": str(machine.ask_id),
                "reliability": machine.reliability,
                "verification": machine.verification,
            },
        )
        offering = offerings.create(seller, spec, now=self._now)
        offerings.publish_rate_card(
            seller, offering.id, self._rates(machine), currency=self._market.currency, now=self._now
        )
        offerings.submit(seller, offering.id, now=self._now)
        return offerings.list_(SYSTEM, offering.id, now=self._now)

    def _rates(self, machine: ParsedOffer) -> list[Rate]:
        prices = {
            "storage_gb_months": machine.storage_micros,
            "egress_gb": machine.egress_micros,
            "ingress_gb": machine.ingress_micros,
        }
        return [Rate(meter, loading.converted(price, self._factor)) for meter, price in prices.items()]

    def _provider(self, machine: ParsedOffer) -> Organisation:
        if machine.host_id not in self.providers:
            # The place of a host's first machine stands for the host's.
            self.providers[machine.host_id] = loading.synthetic_organisation(
                f"Host {machine.host_id}",
                f"{SOURCE.upper()}-HOST-{machine.host_id}",
                OrganisationKind.DATA_CENTRE,
                machine.place.country.code,
                now=self._now,
            )
        return self.providers[machine.host_id]

    def _site(self, place: Place) -> Site:
        if place.site_code not in self._sites:
            self._sites[place.site_code] = Site.objects.filter(code=place.site_code).first() or self._new_site(place)
        return self._sites[place.site_code]

    def _new_site(self, place: Place) -> Site:
        country = place.country
        sites.open_region(
            self._operator, country.region, name_en=country.name_en, name_zh=country.name_zh, now=self._now
        )
        spec = SiteSpec(place.site_code, place.site_name, country.region, SECURITY_LEVEL)
        site = sites.propose(self._operator, spec, now=self._now)
        sites.submit(self._operator, site.id, now=self._now)
        return sites.list_(self._operator, site.id, now=self._now)
