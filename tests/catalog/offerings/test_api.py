"""Offerings over the API."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actors.actor import Actor, Capability
from accounts.foundation import ids
from catalog.offerings.models import Offering
from catalog.sites.models import Site

Call = Callable[..., Any]


def spelled(offering: Offering) -> str:
    """The address of an offering."""
    return f"/v1/offerings/{ids.spell('ofr', offering.id)}"


def lesser(actor: Actor) -> Actor:
    """A colleague of the actor who may only look at what the organisation sells."""
    return Actor(actor.organisation_id, None, None, frozenset({Capability.VIEW_SELLING}), "colleague")


def test_a_provider_lists_in_four_calls(call: Call, provider: Actor, operator: Actor, buyer: Actor, site: Site) -> None:
    stated = {
        "site": ids.spell("sit", site.id),
        "resource_type": "ascend-910b3",
        "name": "Ascend 910B3, Zhangjiakou",
        "fabric": "roce",
        "units_per_machine": 8,
    }
    created = call(provider, "post", "/v1/offerings", stated)
    assert created.status_code == 201
    address = f"/v1/offerings/{created.json()['id']}"
    assert created.json()["rate_card"] is None
    card = {"currency": "CNY", "items": [{"meter": "egress_gb", "price": "0.50"}]}
    priced = call(provider, "post", f"{address}/rate-cards", card)
    assert (priced.status_code, priced.json()["version"]) == (201, 1)
    assert call(provider, "post", f"{address}/submit").json()["status"] == "submitted"
    assert call(operator, "post", f"{address}/list").json()["status"] == "listed"

    shown = call(buyer, "get", address).json()
    assert shown["cell"] == "zjk-1/ascend-910b3/roce"
    assert shown["unit"] == "card_hours"
    assert shown["attributes"] == {
        "model": "ascend-910b3",
        "mem_gb": 64,
        "tflops": 313,
        "region": "cn-jingjinji",
        "green_pct": 85,
        "security": 3,
        "interconnect": "roce",
        "latency_ms": {},
    }
    assert shown["rate_card"]["items"] == [
        {
            "meter": "egress_gb",
            "price": "0.500000",
            "base_quantity": 1,
            "model": "flat",
            "tiers": [],
            "minimum": "0.000000",
            "period": "contract",
            "precision": "",
        }
    ]


def test_the_search_takes_needs_and_says_why_others_do_not_qualify(
    call: Call, buyer: Actor, site: Site, make_offering: Callable[..., Offering]
) -> None:
    ascend, h20 = make_offering(site), make_offering(site, resource_type="h20")
    found = call(buyer, "get", "/v1/offerings", min_mem_gb=80, region="cn-jingjinji,cn-gansu").json()
    assert [row["id"] for row in found["data"]] == [ids.spell("ofr", h20.id)]
    missed = call(buyer, "get", "/v1/offerings/near-misses", min_mem_gb=80, region="cn-jingjinji,cn-gansu").json()
    assert missed["data"] == [
        {
            "id": ids.spell("ofr", ascend.id),
            "name": "Ascend 910B3",
            "cell": "zjk-1/ascend-910b3/roce",
            "unmet": [{"need": "min_mem_gb", "detail": "the memory is 64 GB, at least 80 is needed"}],
        }
    ]


@pytest.mark.parametrize("path", ["/v1/offerings", "/v1/offerings/near-misses"])
@pytest.mark.parametrize(
    ("params", "parameter"),
    [
        ({"colour": "red"}, "colour"),
        ({"min_mem_gb": "８０"}, "min_mem_gb"),
        ({"min_tflops": "1e3"}, "min_tflops"),
        ({"min_security": "5"}, "min_security"),
        ({"model": "a,,b"}, "model"),
        ({"region": "x" * 65}, "region"),
        ({"metro": "beijing"}, "max_latency_ms"),
        ({"max_latency_ms": "20"}, "metro"),
        ({"metro": "a\x00b", "max_latency_ms": "20"}, "metro"),
        ({"provider": "ofr_00000000000000000000000000"}, "provider"),
        ({"status": "lost"}, "status"),
    ],
)
def test_a_parameter_that_cannot_be_read_is_named(
    call: Call, buyer: Actor, path: str, params: dict[str, str], parameter: str
) -> None:
    refused = call(buyer, "get", path, **params)
    assert refused.status_code == 400
    assert [problem["parameter"] for problem in refused.json()["errors"]] == [parameter]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"site": "zjk-1"}, "#/site"),
        ({"fabric": "string"}, "#/fabric"),
        ({"security": "3"}, "#/security"),
        ({"tflops": "NaN"}, "#/tflops"),
        ({"tflops": "0.0001"}, "#/tflops"),
        ({"mem_gb": True}, "#/mem_gb"),
        ({"name": " "}, "#/name"),
        ({"colour": "red"}, "#/colour"),
    ],
)
def test_a_field_that_cannot_be_read_is_named(
    call: Call, provider: Actor, site: Site, change: dict[str, object], pointer: str
) -> None:
    stated = {"site": ids.spell("sit", site.id), "resource_type": "h20", "name": "H20", **change}
    refused = call(provider, "post", "/v1/offerings", stated)
    assert refused.status_code == 400
    assert [problem["pointer"] for problem in refused.json()["errors"]] == [pointer]
    assert not Offering.objects.exists()


@pytest.mark.parametrize(
    ("card", "pointer"),
    [
        ({"currency": "CNY", "items": []}, "#/items"),
        ({"currency": "XXX", "items": [{"meter": "egress_gb", "price": "1"}]}, "#/currency"),
        ({"currency": "CNY", "items": [{"meter": "horses", "price": "1"}]}, "#/items/0/meter"),
        ({"currency": "CNY", "items": [{"meter": "egress_gb", "price": "-1"}]}, "#/items/0/price"),
        (
            {"currency": "CNY", "items": [{"meter": "egress_gb", "price": "1", "base_quantity": 0}]},
            "#/items/0/base_quantity",
        ),
        (
            {
                "currency": "CNY",
                "effective_from": "2026-05-01T00:00:00",
                "items": [{"meter": "egress_gb", "price": "1"}],
            },
            "#/effective_from",
        ),
    ],
)
def test_prices_that_cannot_be_read_are_named(
    call: Call, provider: Actor, site: Site, make_offering: Callable[..., Offering], card: object, pointer: str
) -> None:
    offering = make_offering(site)
    refused = call(provider, "post", f"{spelled(offering)}/rate-cards", card)
    assert refused.status_code == 400
    assert [problem["pointer"] for problem in refused.json()["errors"]] == [pointer]
    assert offering.rate_cards.count() == 1


def test_owner_colleague_stranger_and_nobody(
    call: Call,
    provider: Actor,
    rival: Actor,
    buyer: Actor,
    operator: Actor,
    site: Site,
    make_offering: Callable[..., Offering],
) -> None:
    offering = make_offering(site)
    address = spelled(offering)
    colleague = lesser(provider)
    card = {"currency": "CNY", "items": [{"meter": "egress_gb", "price": "1"}]}
    for actor, status in ((provider, 201), (colleague, 403), (rival, 404), (buyer, 403), (operator, 403), (None, 401)):
        assert call(actor, "post", f"{address}/rate-cards", card).status_code == status, actor
    for actor, status in ((None, 401), (buyer, 403), (colleague, 403), (rival, 404), (provider, 200)):
        assert call(actor, "post", f"{address}/suspend").status_code == status, actor
    for actor, status in ((None, 401), (buyer, 404), (rival, 404), (colleague, 200), (provider, 200), (operator, 200)):
        assert call(actor, "get", address).status_code == status, actor
        assert call(actor, "get", f"{address}/rate-cards").status_code == status, actor
    for actor, status in ((None, 401), (buyer, 403), (provider, 403), (operator, 200)):
        assert call(actor, "post", f"{address}/list").status_code == status, actor
    for actor, status in ((None, 401), (buyer, 403), (colleague, 403), (rival, 404), (provider, 200)):
        assert call(actor, "post", f"{address}/retire").status_code == status, actor
    assert call(operator, "post", f"{address}/list").status_code == 409


def test_a_submitted_offering_can_be_sent_back(call: Call, provider: Actor, operator: Actor, site: Site) -> None:
    stated = {"site": ids.spell("sit", site.id), "resource_type": "h20", "name": "H20"}
    address = f"/v1/offerings/{call(provider, 'post', '/v1/offerings', stated).json()['id']}"
    assert call(provider, "post", f"{address}/submit").json()["code"] == "offering_not_priced"
    call(
        provider, "post", f"{address}/rate-cards", {"currency": "CNY", "items": [{"meter": "energy_kwh", "price": "1"}]}
    )
    call(provider, "post", f"{address}/submit")
    assert call(provider, "post", f"{address}/send-back").status_code == 403
    assert call(operator, "post", f"{address}/send-back").json()["status"] == "draft"


def test_the_list_costs_the_same_queries_for_one_and_for_twenty_and_has_pages(
    call: Call, buyer: Actor, site: Site, make_offering: Callable[..., Offering]
) -> None:
    counts = []
    for wanted in (1, 20):
        while Offering.objects.count() < wanted:
            make_offering(site)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert len(call(buyer, "get", "/v1/offerings").json()["data"]) == wanted
        counts.append(len(queries))
    assert counts[0] == counts[1]
    first = call(buyer, "get", "/v1/offerings", limit=15).json()
    rest = call(buyer, "get", "/v1/offerings", limit=15, cursor=first["next_cursor"]).json()
    assert (len(first["data"]), len(rest["data"]), rest["has_more"]) == (15, 5, False)


def test_repeating_a_call_lists_once(provider: Actor, site: Site) -> None:
    from rest_framework.test import APIClient

    client = APIClient()
    client.force_authenticate(user=None, token=provider)  # type: ignore[arg-type]
    stated = {"site": ids.spell("sit", site.id), "resource_type": "h20", "name": "H20"}
    headers = {"Idempotency-Key": "one-and-the-same-0001"}
    answers = [client.post("/v1/offerings", stated, format="json", headers=headers) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert Offering.objects.count() == 1
    assert client.post("/v1/offerings", stated, format="json").status_code == 400


def test_an_unknown_id_answers_like_a_foreign_one(call: Call, buyer: Actor) -> None:
    assert call(buyer, "get", f"/v1/offerings/{ids.spell('ofr', UUID(int=7 << 76))}").status_code == 404
    assert call(buyer, "get", "/v1/offerings/ofr_nonsense").status_code == 404
