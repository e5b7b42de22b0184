"""What both importers load with: who acts, prices in the market's currency, and a tally of what happened."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final

from accounts.actors.actor import Actor, Capability
from accounts.organisations import services as organisations
from accounts.organisations.models import LegalEntity, Organisation
from accounts.organisations.rules import OrganisationKind
from accounts.organisations.services import Application, LegalDetails
from catalog.measures.rounding import half_up_exact
from exchange.imports.errors import RateNeeded
from exchange.markets.models import Market

SYSTEM: Final = Actor.system("import")
# Where the exchange's tax rates apply; a made-up organisation elsewhere is outside of them.
VAT_COUNTRY: Final = "CN"


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many rows became offers or orders, of how many organisations, and what was left out and why."""

    entered: int
    organisations: int
    left_out: Mapping[str, int]


def acting_for(organisation: Organisation, *capabilities: Capability) -> Actor:
    """Return the import acting for an organisation that it made up."""
    return Actor(organisation.id, None, None, frozenset(capabilities), SYSTEM.label)


def synthetic_organisation(
    name: str, tax_id: str, kind: OrganisationKind, country: str, *, now: datetime
) -> Organisation:
    """Return the made-up organisation with that tax id, registered and admitted first when it is new."""
    entity = (
        LegalEntity.objects.filter(tax_id=tax_id, organisation__synthetic=True).select_related("organisation").first()
    )
    if entity is not None:
        return entity.organisation
    sells = kind is OrganisationKind.DATA_CENTRE
    application = Application(
        name=name,
        kind=kind,
        legal=LegalDetails(
            name, tax_id, country, f"Synthetic address of {name}", vat_registered=country == VAT_COUNTRY
        ),
        can_buy=not sells,
        can_sell=sells,
        country=country,
        synthetic=True,
        simulated_agent=sells,
    )
    organisation = organisations.register(SYSTEM, application, administrator=None, now=now)
    return organisations.admit(SYSTEM, organisation.id, now=now)


def rate_into(market: Market, currency: str, rate: Decimal | None) -> Fraction:
    """Return how many of the market's currency one unit of the files' currency is. Raises RateNeeded."""
    if rate is None:
        if market.currency != currency:
            raise RateNeeded(currency, market.currency)
        return Fraction(1)
    return Fraction(rate)


def converted(price_micros: int, rate: Fraction) -> int:
    """Return a price in the market's currency, rounded once."""
    return half_up_exact(price_micros * rate)


def up_to_tick(market: Market, price_micros: int) -> int:
    """Return the lowest price on the tick that is not below this one: a provider gets no less than it asks."""
    return -(-price_micros // market.tick_micros) * market.tick_micros


def near_tick(market: Market, price_micros: int) -> int:
    """Return the price on the tick nearest to this one, at least one tick."""
    return max(1, half_up_exact(Fraction(price_micros, market.tick_micros))) * market.tick_micros


def in_collar(market: Market, price_micros: int) -> bool:
    """Whether the market takes such a price."""
    return market.collar_min_micros <= price_micros <= market.collar_max_micros


def tally(*counts: Mapping[str, int]) -> dict[str, int]:
    """Add up what was left out for the same reasons, in the order of the reasons."""
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return {reason: number for reason, number in sorted(total.items()) if number}
