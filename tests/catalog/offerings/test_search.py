"""The search by need, held to the slow and obvious check of each cell."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.actors.actor import Actor
from catalog.offerings import cells, queries, services
from catalog.offerings.models import Offering
from catalog.offerings.needs import MaxLatency, Needs
from catalog.offerings.rules import Fabric
from catalog.sites import services as sites
from catalog.sites.models import Site
from catalog.sites.rules import LatencyMetric
from tests.catalog.cast import NOW

NEEDS = st.builds(
    Needs,
    models=st.just(()) | st.lists(st.sampled_from(["ascend-910b3", "h20", "s60", "x86-core"]), max_size=3).map(tuple),
    min_memory_gb=st.none() | st.sampled_from([4, 48, 64, 96, 128]),
    min_tflops=st.none() | st.sampled_from([1, 148, 280, 281, 313]),
    regions=st.just(()) | st.sampled_from([("cn-jingjinji",), ("cn-guizhou",)]),
    max_latency=st.none()
    | st.builds(MaxLatency, st.sampled_from(["beijing", "guiyang"]), st.sampled_from([5, 6, 11, 12])),
    min_green_percent=st.none() | st.sampled_from([0, 60, 85]),
    min_security=st.none() | st.sampled_from([2, 3, 4]),
    interconnects=st.just(()) | st.sampled_from([("roce",), ("ib", "ethernet")]),
)


@pytest.fixture
def market(make_site: Callable[..., Site], make_offering: Callable[..., Offering], operator: Actor) -> None:
    """A few offerings that differ in everything that can be needed."""
    north = make_site("zjk-1", green_percent=85)
    south = make_site("gui-1", hub="cn-guizhou", security_level=2)
    sites.state_latency(operator, north.id, "beijing", Decimal("5.2"), now=NOW)
    sites.state_latency(operator, south.id, "guiyang", Decimal(6), metric=LatencyMetric.ONE_WAY, now=NOW)
    make_offering(north)
    make_offering(north, rated_tflops=Decimal("280.5"), security_level=4)
    make_offering(north, resource_type="h20", fabric=Fabric.INFINIBAND)
    make_offering(south, resource_type="s60", fabric=Fabric.ETHERNET)
    make_offering(south, resource_type="x86-core", fabric=Fabric.NONE, memory_gb=8)
    make_offering(south, memory_gb=128)


@pytest.mark.usefixtures("market")
@given(needs=NEEDS)
def test_the_database_and_the_plain_check_agree(needs: Needs) -> None:
    listed = list(queries.listed())
    expected = {offering.id for offering in listed if not needs.unmet_by(cells.attributes(offering))}
    found = {offering.id for offering in queries.matching(queries.listed(), needs)}
    missed = {miss.offering.id for miss in queries.near_misses(queries.listed(), needs, limit=100)}
    assert found == expected
    assert missed == {offering.id for offering in listed} - expected


@pytest.mark.usefixtures("market")
def test_cells_read_as_columns_are_those_of_the_models() -> None:
    found = queries.cells_of(queries.listed())
    assert {offering.id: (cells.code(offering), cells.attributes(offering)) for offering in queries.listed()} == {
        offering_id: (cell.code, cell.attributes) for offering_id, cell in found.items()
    }
    assert len(found) == 6


def test_near_misses_come_with_the_fewest_reasons_first(
    make_site: Callable[..., Site], make_offering: Callable[..., Offering]
) -> None:
    place = make_site("zjk-1")
    far, near = make_offering(place, resource_type="t4"), make_offering(place, resource_type="h20")
    misses = queries.near_misses(queries.listed(), Needs(models=("h200-sxm",), min_memory_gb=90), limit=5)
    assert [miss.offering.id for miss in misses] == [near.id, far.id]
    assert len(queries.near_misses(queries.listed(), Needs(models=("h200-sxm",)), limit=1)) == 1


def test_listing_costs_the_same_queries_for_one_and_for_twenty(
    make_site: Callable[..., Site],
    make_offering: Callable[..., Offering],
    buyer: Actor,
    django_assert_num_queries: Callable[..., object],
) -> None:
    place = make_site("zjk-1")
    make_offering(place)
    for count in (1, 20):
        while Offering.objects.count() < count:
            make_offering(place)
        with django_assert_num_queries(2):  # type: ignore[attr-defined]
            assert len([cells.attributes(offering) for offering in queries.visible_to(buyer)]) == count


def test_drafts_and_suspended_offerings_are_seen_by_their_own_only(
    site: Site, make_offering: Callable[..., Offering], buyer: Actor, provider: Actor, rival: Actor, operator: Actor
) -> None:
    offering = make_offering(site)
    for actor in (buyer, provider, rival, operator):
        assert queries.visible_to(actor).filter(id=offering.id).exists()
    services.suspend(provider, offering.id, now=NOW)
    seen = {actor.label: queries.visible_to(actor).exists() for actor in (buyer, provider, rival, operator)}
    assert seen == {buyer.label: False, provider.label: True, rival.label: False, operator.label: True}


def test_a_suspended_site_hides_its_offerings(
    site: Site, make_offering: Callable[..., Offering], buyer: Actor, operator: Actor
) -> None:
    make_offering(site)
    sites.suspend(operator, site.id, now=NOW)
    assert not queries.listed().exists()
    assert not queries.visible_to(buyer).exists()
