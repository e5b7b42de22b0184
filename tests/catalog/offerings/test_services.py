"""What providers and the operator do with offerings."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from accounts.actors.actor import Actor
from accounts.actors.errors import NotAllowed
from accounts.audit.models import AuditRecord
from accounts.events.models import Event
from catalog.offerings import cells, queries, services
from catalog.offerings.errors import (
    NotPriced,
    OfferingMoveRefused,
    OfferingNotFound,
    RateCardInThePast,
    RateCardRefused,
    SiteNotOpen,
)
from catalog.offerings.models import Offering, RateCard
from catalog.offerings.rules import Fabric, OfferingStatus
from catalog.offerings.services import OfferingSpec, Rate
from catalog.sites import services as sites
from catalog.sites.errors import SiteNotFound
from catalog.sites.models import Site
from catalog.taxonomy.errors import UnknownResourceType
from tests.catalog.cast import NOW


@pytest.fixture
def draft(provider: Actor, site: Site) -> Offering:
    """An offering just entered."""
    spec = OfferingSpec(site.id, "ascend-910b3", "Ascend 910B3", fabric=Fabric.ROCE)
    return services.create(provider, spec, now=NOW)


def test_an_offering_goes_from_draft_to_listed_and_leaves_a_trail(
    draft: Offering, provider: Actor, operator: Actor
) -> None:
    services.publish_rate_card(provider, draft.id, [Rate("egress_gb", 500_000)], currency="CNY", now=NOW)
    services.submit(provider, draft.id, now=NOW)
    listed = services.list_(operator, draft.id, now=NOW)
    assert (listed.status, listed.listed_at) == (OfferingStatus.LISTED, NOW)
    assert cells.code(queries.one(provider, draft.id)) == "zjk-1/ascend-910b3/roce"
    trail = AuditRecord.objects.filter(subject_id=draft.id).order_by("id").values_list("action", flat=True)
    assert list(trail) == ["offering.create", "offering.publish_rate_card", "offering.move", "offering.move"]
    owners = AuditRecord.objects.filter(subject_id=draft.id).values_list("organisation_id", flat=True)
    assert set(owners) == {provider.organisation_id}
    told = Event.objects.filter(subject_id=draft.id).order_by("id").values_list("type", "organisation_id")
    assert list(told) == [
        (kind, provider.organisation_id) for kind in ("offering.priced", "offering.submitted", "offering.listed")
    ]


def test_an_offering_without_prices_cannot_be_submitted(draft: Offering, provider: Actor) -> None:
    with pytest.raises(NotPriced):
        services.submit(provider, draft.id, now=NOW)


def test_only_a_provider_lists_and_only_the_operator_admits(
    draft: Offering, provider: Actor, buyer: Actor, rival: Actor, site: Site
) -> None:
    with pytest.raises(NotAllowed):
        services.create(buyer, OfferingSpec(site.id, "h20", "H20"), now=NOW)
    with pytest.raises(NotAllowed):
        services.list_(provider, draft.id, now=NOW)
    for refused in (services.submit, services.retire, services.suspend):
        with pytest.raises(OfferingNotFound):
            refused(rival, draft.id, now=NOW)
    with pytest.raises(OfferingNotFound):
        services.submit(provider, uuid4(), now=NOW)


def test_a_site_must_be_listed(make_site: Callable[..., Site], provider: Actor, operator: Actor) -> None:
    place = make_site("gui-1", hub="cn-guizhou")
    sites.suspend(operator, place.id, now=NOW)
    with pytest.raises(SiteNotOpen, match="gui-1 is suspended"):
        services.create(provider, OfferingSpec(place.id, "h20", "H20"), now=NOW)
    with pytest.raises(SiteNotFound):
        services.create(provider, OfferingSpec(uuid4(), "h20", "H20"), now=NOW)


def test_an_unknown_resource_type_is_refused_with_the_code_seen(provider: Actor, site: Site) -> None:
    with pytest.raises(UnknownResourceType, match="abacus"):
        services.create(provider, OfferingSpec(site.id, "abacus", "Abacus"), now=NOW)
    assert not Offering.objects.exists()


def test_moves_outside_the_table_are_refused_by_code_and_by_the_database(
    draft: Offering, provider: Actor, operator: Actor
) -> None:
    with pytest.raises(OfferingMoveRefused, match="draft offering cannot become listed"):
        services.list_(operator, draft.id, now=NOW)
    services.retire(provider, draft.id, now=NOW)
    with pytest.raises(OfferingMoveRefused):
        services.suspend(operator, draft.id, now=NOW)
    with pytest.raises(DatabaseError), transaction.atomic():
        Offering.objects.filter(id=draft.id).update(status=OfferingStatus.DRAFT)


def test_an_offering_can_be_sent_back_and_submitted_again(draft: Offering, provider: Actor, operator: Actor) -> None:
    services.publish_rate_card(provider, draft.id, [Rate("energy_kwh", 600_000)], currency="CNY", now=NOW)
    services.submit(provider, draft.id, now=NOW)
    assert services.send_back(operator, draft.id, now=NOW).status == OfferingStatus.DRAFT
    assert services.submit(provider, draft.id, now=NOW).status == OfferingStatus.SUBMITTED


def test_the_first_listing_stays_the_day_it_was_listed(
    site: Site, make_offering: Callable[..., Offering], operator: Actor
) -> None:
    offering = make_offering(site)
    later = NOW + timedelta(days=3)
    services.suspend(operator, offering.id, now=later)
    assert services.list_(operator, offering.id, now=later).listed_at == NOW


def test_prices_follow_each_other_and_the_one_in_force_is_found(draft: Offering, provider: Actor) -> None:
    hours = [NOW + timedelta(hours=hour) for hour in range(4)]
    for starts, price in ((hours[1], 1), (hours[3], 3), (hours[1], 2)):
        services.publish_rate_card(
            provider, draft.id, [Rate("egress_gb", price)], currency="CNY", now=NOW, effective_from=starts
        )
    cards = [queries.current_rate_card(draft, hour) for hour in hours]
    prices = [None if card is None else card.items.get().price_micros for card in cards]
    assert prices == [None, 2, 2, 3]
    assert [card.version for card in queries.rate_cards(draft)] == [3, 2, 1]


def test_prices_never_hold_backwards(draft: Offering, provider: Actor) -> None:
    with pytest.raises(RateCardInThePast):
        services.publish_rate_card(
            provider,
            draft.id,
            [Rate("egress_gb", 1)],
            currency="CNY",
            now=NOW,
            effective_from=NOW - timedelta(seconds=1),
        )


@pytest.mark.parametrize(
    ("rates", "currency", "pointers"),
    [
        ([], "CNY", ["/items"]),
        ([Rate("egress_gb", 1)], "XXX", ["/currency"]),
        ([Rate("horses", 1)], "CNY", ["/items/0/meter"]),
        ([Rate("carbon_kg", 1)], "CNY", ["/items/0/meter"]),
        ([Rate("egress_gb", 1), Rate("egress_gb", 2)], "CNY", ["/items/1/meter"]),
        ([Rate("egress_gb", -1, 0)], "CNY", ["/items/0/price", "/items/0/base_quantity"]),
        ([Rate("egress_gb", 10**16)], "CNY", ["/items/0/price"]),
        ([Rate("egress_gb", 1)] * 65, "CNY", ["/items", *(f"/items/{index}/meter" for index in range(1, 65))]),
    ],
)
def test_a_malformed_rate_card_names_each_item(
    draft: Offering, provider: Actor, rates: list[Rate], currency: str, pointers: list[str]
) -> None:
    with pytest.raises(RateCardRefused) as refused:
        services.publish_rate_card(provider, draft.id, rates, currency=currency, now=NOW)
    assert [problem.pointer for problem in refused.value.problems] == pointers
    assert not RateCard.objects.exists()


def test_published_prices_cannot_be_changed(draft: Offering, provider: Actor) -> None:
    card = services.publish_rate_card(provider, draft.id, [Rate("egress_gb", 500_000)], currency="CNY", now=NOW)
    with pytest.raises(DatabaseError), transaction.atomic():
        card.items.update(price_micros=1)
    with pytest.raises(DatabaseError), transaction.atomic():
        RateCard.objects.filter(id=card.id).delete()


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "lost"},
        {"fabric": "string"},
        {"security_level": 5},
        {"rated_tflops": Decimal(0)},
        {"units_per_machine": 0},
        {"sla_credit_ppm": 1_000_001},
        {"status": OfferingStatus.LISTED},
    ],
)
def test_the_database_has_the_last_word(draft: Offering, fields: dict[str, object]) -> None:
    values = {
        name: getattr(draft, name)
        for name in ("provider_id", "site_id", "resource_type_id", "name", "fabric", "status", "created_at")
    }
    with pytest.raises(IntegrityError), transaction.atomic():
        Offering.objects.create(**{**values, **fields})
