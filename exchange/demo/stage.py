"""The demo market around the story: sites, members with money, and two markets that go on."""

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from accounts.actors.actor import Capability
from accounts.organisations import queries as organisations
from accounts.organisations.models import Organisation
from accounts.organisations.rules import OrganisationKind
from billing.payments import services as payments
from billing.payments.rules import BankLine
from catalog.measures import units
from catalog.measures.money import Money
from catalog.offerings import services as offerings
from catalog.offerings.services import OfferingSpec, Rate
from catalog.sites import services as sites
from catalog.sites.models import Site
from exchange.demo import script
from exchange.demo.cast import CURRENCY, SYSTEM, TIMEZONE, acting_for, member
from exchange.demo.script import OfferingPlan, SitePlan
from exchange.markets import services as markets
from exchange.markets.models import Market
from exchange.markets.rules import MarketSpec, MarketTerms

HOURLY: Final = "hour-cards"
LIVE: Final = "live-cards"
# What a made-up buyer pays in at a time, and the balance below which it does so again.
TOP_UP: Final = Money(30_000_00, CURRENCY)
LOW_MINOR: Final = 3_000_00


def furnish(*, now: datetime) -> None:
    """Make every site, provider, offering and buyer of the script, with money in the buyers' wallets."""
    by_code = {plan.spec.code: _site(plan, now=now) for plan in script.sites()}
    for provider in script.providers():
        # Two of them are in the story too and there already.
        organisation = Organisation.objects.filter(name=provider.name, synthetic=True).first() or member(
            provider.name, provider.name_zh, OrganisationKind.DATA_CENTRE, now=now, can_sell=True
        )
        for plan in provider.offerings:
            _offering(organisation, by_code[plan.site], plan, now=now)
    for buyer in script.buyers():
        organisation = member(buyer.name, buyer.name_zh, buyer.kind, now=now, can_buy=True)
        fund(organisation, now=now)


def fund(buyer: Organisation, *, now: datetime) -> None:
    """Let a transfer of a buyer arrive and finance confirm it."""
    top_up = payments.request_top_up(acting_for(buyer, Capability.TRADE), TOP_UP, now=now)
    line = BankLine(
        bank_reference=f"BANK-{top_up.reference}",
        amount=TOP_UP,
        value_date=now.astimezone(ZoneInfo(TIMEZONE)).date(),
        payer=buyer.name,
        remittance=top_up.reference,
    )
    finance = acting_for(organisations.operator(), Capability.OPERATE_BOOKS, Capability.VIEW_BOOKS)
    payments.confirm(finance, top_up.id, line, now=now)


def open_hourly_market(*, now: datetime) -> Market:
    """Open the market with a gate every hour, half an hour before the first hour it delivers."""
    return _market(
        HOURLY,
        "Demo: AI cards, a round every hour",
        "演示：智算卡时，每小时一轮",
        gate_interval_seconds=3600,
        no_cancel_seconds=120,
        lead_seconds=1800,
        horizon_hours=48,
        now=now,
    )


def open_live_market(*, now: datetime) -> Market:
    """Open the market with a gate every minute, for the hours from the next whole one on."""
    return _market(
        LIVE,
        "Demo: AI cards, a round every minute",
        "演示：智算卡时，每分钟一轮",
        gate_interval_seconds=60,
        no_cancel_seconds=10,
        lead_seconds=120,
        horizon_hours=36,
        now=now,
    )


def _market(
    code: str,
    name: str,
    name_zh: str,
    *,
    gate_interval_seconds: int,
    no_cancel_seconds: int,
    lead_seconds: int,
    horizon_hours: int,
    now: datetime,
) -> Market:
    terms = MarketTerms(
        currency=CURRENCY,
        timezone=TIMEZONE,
        epoch=date(2026, 1, 1),
        grid_slots=1,
        lot_units=1,
        tick_micros=10_000,
        collar_min_micros=10_000,
        collar_max_micros=1_000_000_000,
        gate_interval_seconds=gate_interval_seconds,
        gate_offset_seconds=0,
        no_cancel_seconds=no_cancel_seconds,
        lead_seconds=lead_seconds,
        horizon_hours=horizon_hours,
    )
    return markets.create(SYSTEM, MarketSpec(code, name, "ai_acceleration", "card_hours", terms, name_zh), now=now)


def _site(plan: SitePlan, *, now: datetime) -> Site:
    actor = acting_for(organisations.operator(), Capability.OPERATE)
    site = sites.propose(actor, plan.spec, now=now)
    sites.submit(actor, site.id, now=now)
    site = sites.list_(actor, site.id, now=now)
    for metro, latency_ms in plan.latency_ms.items():
        sites.state_latency(actor, site.id, metro, latency_ms, now=now)
    return site


def _offering(provider: Organisation, site: Site, plan: OfferingPlan, *, now: datetime) -> None:
    actor = acting_for(provider, Capability.LIST)
    spec = OfferingSpec(
        site_id=site.id,
        resource_type=plan.resource_type,
        name=plan.name,
        fabric=plan.fabric,
        units_per_machine=plan.units_per_machine,
    )
    offering = offerings.create(actor, spec, now=now)
    rates = [
        Rate(meter, price_micros, units.unit(meter).default_base_quantity)
        for meter, price_micros in plan.rates_micros.items()
    ]
    offerings.publish_rate_card(actor, offering.id, rates, currency=CURRENCY, now=now)
    offerings.submit(actor, offering.id, now=now)
    offerings.list_(SYSTEM, offering.id, now=now)
