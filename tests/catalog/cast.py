"""Makes the cast of the catalogue's tests; the fixtures are in conftest."""

from datetime import UTC, datetime
from typing import Any

from accounts.actors.actor import Actor, Capability
from accounts.organisations import services as organisations
from accounts.organisations.models import Organisation
from accounts.organisations.rules import OrganisationKind
from catalog.offerings import services as offerings
from catalog.offerings.models import Offering
from catalog.offerings.rules import Fabric
from catalog.offerings.services import OfferingSpec, Rate
from catalog.sites import services as sites
from catalog.sites.models import Site
from catalog.sites.services import SiteSpec

NOW = datetime(2026, 5, 1, 4, tzinfo=UTC)
SYSTEM = Actor.system("test")
SELLING = frozenset({Capability.VIEW_SELLING, Capability.LIST, Capability.DELIVER})
BUYING = frozenset({Capability.VIEW_BUYING, Capability.TRADE})


def organisation(name: str, **fields: Any) -> Organisation:
    """Register and admit an organisation."""
    legal = organisations.LegalDetails(name, f"TAX {name}", "CN", "1 Test Road", vat_registered=True)
    given = {"kind": OrganisationKind.DATA_CENTRE, "legal": legal, **fields}
    applied = organisations.register(SYSTEM, organisations.Application(name=name, **given), administrator=None, now=NOW)
    return organisations.admit(SYSTEM, applied.id, now=NOW)


def acting_for(owner: Organisation, capabilities: frozenset[Capability]) -> Actor:
    """Return an actor of the organisation with these capabilities."""
    return Actor(owner.id, None, None, capabilities, f"member of {owner.name}")


def listed_site(operator: Actor, code: str, **fields: Any) -> Site:
    """Propose, submit and list a site."""
    given = {"name": code.upper(), "hub": "cn-jingjinji", "security_level": 3, **fields}
    site = sites.propose(operator, SiteSpec(code=code, **given), now=NOW)
    sites.submit(operator, site.id, now=NOW)
    return sites.list_(operator, site.id, now=NOW)


def listed_offering(operator: Actor, seller: Actor, site: Site, **fields: Any) -> Offering:
    """Create, price, submit and list an offering."""
    given = {"resource_type": "ascend-910b3", "name": "Ascend 910B3", "fabric": Fabric.ROCE, **fields}
    offering = offerings.create(seller, OfferingSpec(site_id=site.id, **given), now=NOW)
    offerings.publish_rate_card(seller, offering.id, [Rate("egress_gb", 500_000)], currency="CNY", now=NOW)
    offerings.submit(seller, offering.id, now=NOW)
    return offerings.list_(operator, offering.id, now=NOW)
