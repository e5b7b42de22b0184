"""The members of the story: two data centres at one site, three buyers, and the exchange itself."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from accounts.actors.actor import Actor, Capability
from accounts.foundation import clock
from accounts.organisations import services as organisations
from accounts.organisations.models import Organisation
from accounts.organisations.rules import OrganisationKind
from accounts.organisations.services import Application, LegalDetails
from catalog.offerings import services as offerings
from catalog.offerings.models import Offering
from catalog.offerings.rules import Fabric
from catalog.offerings.services import OfferingSpec, Rate
from catalog.sites import services as sites
from catalog.sites.models import Site
from catalog.sites.rules import GridConnection
from catalog.sites.services import SiteSpec
from exchange.markets import services as markets
from exchange.markets.models import Market
from exchange.markets.rules import MarketSpec, MarketTerms

HUB: Final = "cn-jingjinji"
CLUSTER: Final = "cn-jingjinji-zhangjiakou"
SITE: Final = "zjk-1"
CARD: Final = "ascend-910b3"
CURRENCY: Final = "CNY"
TIMEZONE: Final = "Asia/Shanghai"
MARKET: Final = "ai-cards"
EGRESS_PRICE_MICROS: Final = 500_000  # 0.50 a GB
COMPANIES: Final = (OrganisationKind.SME, OrganisationKind.DATA_CENTRE, OrganisationKind.OPERATOR)
SYSTEM: Final = Actor.system("demo")


@dataclass(frozen=True)
class Cast:
    """Who takes part, what they have, and where they meet."""

    operator: Organisation
    huailai: Organisation
    zhangbei: Organisation
    beichen: Organisation
    lanting: Organisation
    qinghe: Organisation
    site: Site
    huailai_cards: Offering
    zhangbei_cards: Offering
    market: Market


def assemble(*, market_code: str = MARKET) -> Cast:
    """Make what the story needs, at the present (virtual) instant; the exchange itself only if it is missing."""
    now = clock.now()
    operator = Organisation.objects.filter(can_operate=True).first() or member(
        "Sancai Compute Exchange", "三才算力交易所", OrganisationKind.OPERATOR, now=now, can_operate=True
    )
    huailai = member("Huailai Compute", "怀来算力", OrganisationKind.DATA_CENTRE, now=now, can_sell=True)
    zhangbei = member("Zhangbei Green DC", "张北绿色数据中心", OrganisationKind.DATA_CENTRE, now=now, can_sell=True)
    site = _site(operator, now=now)
    return Cast(
        operator=operator,
        huailai=huailai,
        zhangbei=zhangbei,
        beichen=member("Beichen AI Lab", "北辰人工智能实验室", OrganisationKind.LAB, now=now, can_buy=True),
        lanting=member("Lanting Robotics", "兰亭机器人", OrganisationKind.SME, now=now, can_buy=True),
        qinghe=member("Qinghe Studio", "清河工作室", OrganisationKind.SME, now=now, can_buy=True),
        site=site,
        huailai_cards=_cards(huailai, site, now=now),
        zhangbei_cards=_cards(zhangbei, site, now=now),
        market=_market(market_code, now=now),
    )


def acting_for(organisation: Organisation, *capabilities: Capability) -> Actor:
    """Return somebody who acts for an organisation in the story."""
    return Actor(organisation.id, None, None, frozenset(capabilities), "demo")


def member(
    name: str,
    name_zh: str,
    kind: OrganisationKind,
    *,
    now: datetime,
    can_buy: bool = False,
    can_sell: bool = False,
    can_operate: bool = False,
) -> Organisation:
    """Register and admit a made-up organisation; one that sells is delivered for by the simulated agent."""
    application = Application(
        name=name,
        name_zh=name_zh,
        kind=kind,
        legal=LegalDetails(
            legal_name=f"{name} Co., Ltd." if kind in COMPANIES else name,
            tax_id=f"DEMO-{name.upper().replace(' ', '-')}",
            jurisdiction="CN",
            address="1 Demo Road",
            vat_registered=True,
        ),
        can_buy=can_buy,
        can_sell=can_sell,
        can_operate=can_operate,
        synthetic=True,
        simulated_agent=can_sell,
    )
    organisation = organisations.register(SYSTEM, application, administrator=None, now=now)
    return organisations.admit(SYSTEM, organisation.id, now=now)


def _site(operator: Organisation, *, now: datetime) -> Site:
    actor = acting_for(operator, Capability.OPERATE)
    spec = SiteSpec(
        code=SITE,
        name="Zhangjiakou",
        name_zh="张家口",
        hub=HUB,
        cluster=CLUSTER,
        security_level=3,
        pue=Decimal("1.150"),
        green_percent=80,
        grid_connection=GridConnection.CONNECTED,
    )
    site = sites.propose(actor, spec, now=now)
    sites.submit(actor, site.id, now=now)
    site = sites.list_(actor, site.id, now=now)
    sites.state_latency(actor, site.id, "beijing", Decimal("4.2"), now=now)
    return site


def _cards(provider: Organisation, site: Site, *, now: datetime) -> Offering:
    """List the provider's cards: 64 GB and 313 TFLOPS each, RoCE between them, egress at 0.50 a GB."""
    actor = acting_for(provider, Capability.LIST)
    spec = OfferingSpec(
        site_id=site.id,
        resource_type=CARD,
        name=f"{provider.name} Ascend 910B3",
        fabric=Fabric.ROCE,
        units_per_machine=8,
    )
    offering = offerings.create(actor, spec, now=now)
    offerings.publish_rate_card(
        actor, offering.id, [Rate("egress_gb", EGRESS_PRICE_MICROS)], currency=CURRENCY, now=now
    )
    offerings.submit(actor, offering.id, now=now)
    return offerings.list_(SYSTEM, offering.id, now=now)


def _market(code: str, *, now: datetime) -> Market:
    """Open the market: one gate a day at noon, for the hours from half past twelve to noon two days on."""
    day = timedelta(days=1) // timedelta(seconds=1)
    spec = MarketSpec(
        code=code,
        name="AI cards by the hour",
        name_zh="智算卡时",
        service_class="ai_acceleration",
        unit="card_hours",
        terms=MarketTerms(
            currency=CURRENCY,
            timezone=TIMEZONE,
            epoch=date(2026, 1, 1),
            grid_slots=1,
            lot_units=1,
            tick_micros=10_000,
            collar_min_micros=10_000,
            collar_max_micros=1_000_000_000,
            gate_interval_seconds=day,
            gate_offset_seconds=day // 2,
            no_cancel_seconds=600,
            lead_seconds=1_800,
            horizon_hours=48,
        ),
    )
    return markets.create(SYSTEM, spec, now=now)
