"""Several at once: prices follow each other, a code is taken once, a state is changed once."""

from functools import partial

import pytest

from accounts.actors.actor import Actor, Capability
from accounts.organisations.rules import OrganisationKind
from catalog.offerings import queries
from catalog.offerings import services as offerings
from catalog.offerings.models import Offering, RateCard
from catalog.offerings.services import Rate
from catalog.sites import services as sites
from catalog.sites.models import Site
from catalog.sites.services import SiteSpec
from tests.catalog import cast
from tests.catalog.cast import NOW
from tests.races.together import refusals, together

pytestmark = pytest.mark.django_db(transaction=True)


def _provider() -> Actor:
    return cast.acting_for(cast.organisation("Huailai Compute", can_sell=True), cast.SELLING)


def _listed(provider: Actor) -> Offering:
    exchange = cast.organisation("Exchange", kind=OrganisationKind.OPERATOR, can_operate=True)
    operator = cast.acting_for(exchange, frozenset({Capability.OPERATE}))
    return cast.listed_offering(operator, provider, cast.listed_site(operator, "zjk-1"))


def _publish(provider: Actor, offering: Offering, price_micros: int) -> RateCard:
    rates = [Rate("egress_gb", price_micros)]
    return offerings.publish_rate_card(provider, offering.id, rates, currency="CNY", now=NOW)


def test_price_cards_published_at_once_follow_each_other() -> None:
    provider = _provider()
    offering = _listed(provider)
    steps = [partial(_publish, provider, offering, price) for price in range(1, 6)]
    assert refusals(together(steps)) == 0
    assert [card.version for card in queries.rate_cards(offering)] == [6, 5, 4, 3, 2, 1]


def test_a_site_code_proposed_by_many_at_once_is_taken_once() -> None:
    provider = _provider()
    spec = SiteSpec("qy-1", "Qingyang 1", "cn-gansu", 3)
    assert refusals(together([lambda: sites.propose(provider, spec, now=NOW)] * 5)) == 4
    assert Site.objects.count() == 1


def test_an_offering_suspended_by_many_at_once_is_suspended_once() -> None:
    provider = _provider()
    offering = _listed(provider)
    assert refusals(together([lambda: offerings.suspend(provider, offering.id, now=NOW)] * 5)) == 4
