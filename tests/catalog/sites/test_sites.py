"""Sites: entering, listing, measuring."""

from collections.abc import Callable
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from accounts.actors.actor import Actor
from accounts.actors.errors import NotAllowed
from catalog.sites import queries, rules, services
from catalog.sites.errors import (
    SiteCodeTaken,
    SiteMoveRefused,
    SiteNotFound,
    UnknownCluster,
    UnknownHub,
    UnknownMetro,
)
from catalog.sites.models import Site, SiteLatency
from catalog.sites.rules import LatencyMetric, SiteStatus
from catalog.sites.services import SiteSpec
from tests.catalog.cast import NOW

SPEC = SiteSpec(code="own-1", name="Own", hub="cn-gansu", security_level=3, pue=Decimal("1.125"), green_percent=80)


def test_a_provider_proposes_and_the_operator_lists(provider: Actor, operator: Actor, buyer: Actor) -> None:
    site = services.propose(provider, SPEC, now=NOW)
    assert not queries.visible_to(buyer).exists()
    assert queries.visible_to(provider).exists()
    services.submit(provider, site.id, now=NOW)
    with pytest.raises(NotAllowed):
        services.list_(provider, site.id, now=NOW)
    assert services.list_(operator, site.id, now=NOW).status == SiteStatus.LISTED
    assert queries.visible_to(buyer).get().pue == Decimal("1.125")


def test_a_site_of_others_cannot_be_touched(provider: Actor, rival: Actor, buyer: Actor) -> None:
    site = services.propose(provider, SPEC, now=NOW)
    with pytest.raises(SiteNotFound):
        services.submit(rival, site.id, now=NOW)
    with pytest.raises(SiteNotFound):
        services.retire(provider, uuid4(), now=NOW)
    with pytest.raises(NotAllowed):
        services.propose(buyer, SPEC, now=NOW)


def test_wrong_places_are_refused_with_the_value_seen(provider: Actor, make_site: Callable[..., Site]) -> None:
    make_site("taken")
    for spec, refusal in (
        (SiteSpec("a", "A", "atlantis", 3), UnknownHub),
        (SiteSpec("a", "A", "cn-gansu", 3, cluster="cn-guizhou-guian"), UnknownCluster),
        (SiteSpec("taken", "A", "cn-gansu", 3), SiteCodeTaken),
    ):
        with pytest.raises(refusal, match=r"atlantis|cn-guizhou-guian|taken"):
            services.propose(provider, spec, now=NOW)
    assert Site.objects.count() == 1


def test_moves_outside_the_table_are_refused_by_code_and_by_the_database(provider: Actor, operator: Actor) -> None:
    site = services.propose(provider, SPEC, now=NOW)
    with pytest.raises(SiteMoveRefused, match="draft site cannot become listed"):
        services.list_(operator, site.id, now=NOW)
    services.retire(provider, site.id, now=NOW)
    with pytest.raises(DatabaseError), transaction.atomic():
        Site.objects.filter(id=site.id).update(status=SiteStatus.LISTED)


def test_latency_is_rounded_up_and_a_later_figure_replaces_it(site: Site, operator: Actor) -> None:
    services.state_latency(operator, site.id, "beijing", Decimal("4.01"), now=NOW)
    stated = services.state_latency(
        operator, site.id, "beijing", Decimal("5.000"), metric=LatencyMetric.ONE_WAY, now=NOW
    )
    assert (stated.latency_ms, SiteLatency.objects.count()) == (5, 1)
    with pytest.raises(UnknownMetro, match="atlantis"):
        services.state_latency(operator, site.id, "atlantis", Decimal(1), now=NOW)


@pytest.mark.parametrize(
    ("rtt_ms", "tier"), [(1, "metro_1ms"), (2, "regional_5ms"), (5, "regional_5ms"), (20, "national_20ms"), (21, None)]
)
def test_the_tightest_tier_kept_is_named(rtt_ms: int, tier: str | None) -> None:
    met = rules.tier_met(rtt_ms, queries.latency_tiers())
    assert (met.code if met else None) == tier


def test_a_one_way_latency_counts_twice() -> None:
    assert rules.round_trip_ms(6, LatencyMetric.ONE_WAY) == 12
    assert rules.round_trip_ms(6, LatencyMetric.ROUND_TRIP) == 6


def test_a_region_outside_the_hubs_is_opened_once(operator: Actor, provider: Actor) -> None:
    first = services.open_region(operator, "is", name_en="Iceland", name_zh="冰岛", now=NOW)
    assert services.open_region(operator, "is", name_en="Other", name_zh="", now=NOW) == first
    assert not first.national
    with pytest.raises(NotAllowed):
        services.open_region(provider, "no", name_en="Norway", name_zh="挪威", now=NOW)


@pytest.mark.parametrize(
    "fields", [{"pue": Decimal("0.99")}, {"green_percent": 101}, {"security_level": 1}, {"grid_connection": "cable"}]
)
def test_the_database_has_the_last_word(site: Site, fields: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Site.objects.filter(id=site.id).update(**fields)
