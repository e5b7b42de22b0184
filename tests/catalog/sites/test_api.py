"""Hubs, metros and sites over the API."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actors.actor import Actor, Capability
from accounts.foundation import ids
from catalog.sites import services
from catalog.sites.models import Site
from tests.catalog.cast import NOW

Call = Callable[..., Any]
STATED = {
    "code": "qy-1",
    "name": "Qingyang 1",
    "name_zh": "庆阳一号",
    "hub": "cn-gansu",
    "cluster": "cn-gansu-qingyang",
    "pue": "1.12",
    "green_pct": 90,
    "security": 3,
    "grid_connection": "testing",
}


def test_a_site_goes_from_proposal_to_listed(call: Call, provider: Actor, operator: Actor, buyer: Actor) -> None:
    created = call(provider, "post", "/v1/sites", STATED)
    assert created.status_code == 201
    address = f"/v1/sites/{created.json()['id']}"
    assert call(buyer, "get", address).status_code == 404
    stated = {"metro": "xian", "latency_ms": "7.2", "metric": "one_way"}
    latency = call(provider, "post", f"{address}/latencies", stated)
    assert (latency.status_code, latency.json()["rtt_ms"], latency.json()["tier"]) == (201, 16, "national_20ms")
    assert call(provider, "post", f"{address}/submit").json()["status"] == "submitted"
    assert call(operator, "post", f"{address}/list").json()["status"] == "listed"
    shown = call(buyer, "get", address).json()
    assert (shown["hub"], shown["pue"], shown["latencies"][0]["metro"]) == ("cn-gansu", "1.120", "xian")
    assert [row["code"] for row in call(buyer, "get", "/v1/sites", hub="cn-gansu").json()["data"]] == ["qy-1"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"pue": "0.9"}, "#/pue"),
        ({"pue": 1.2}, "#/pue"),
        ({"green_pct": 101}, "#/green_pct"),
        ({"security": 1}, "#/security"),
        ({"grid_connection": "cable"}, "#/grid_connection"),
        ({"colour": "red"}, "#/colour"),
    ],
)
def test_a_field_that_cannot_be_read_is_named(
    call: Call, provider: Actor, change: dict[str, object], pointer: str
) -> None:
    refused = call(provider, "post", "/v1/sites", {**STATED, **change})
    assert refused.status_code == 400
    assert [problem["pointer"] for problem in refused.json()["errors"]] == [pointer]
    assert not Site.objects.exists()


def test_owner_colleague_stranger_and_nobody(
    call: Call, provider: Actor, rival: Actor, buyer: Actor, operator: Actor
) -> None:
    colleague = Actor(provider.organisation_id, None, None, frozenset({Capability.VIEW_SELLING}), "colleague")
    for actor, status in ((None, 401), (buyer, 403), (colleague, 403), (provider, 201)):
        assert call(actor, "post", "/v1/sites", STATED).status_code == status, actor
    address = f"/v1/sites/{ids.spell('sit', Site.objects.get().id)}"
    latency = {"metro": "xian", "latency_ms": "7"}
    for actor, status in ((None, 401), (buyer, 403), (colleague, 403), (rival, 404), (provider, 201), (operator, 201)):
        assert call(actor, "post", f"{address}/latencies", latency).status_code == status, actor
    for actor, status in ((None, 401), (buyer, 404), (rival, 404), (colleague, 200), (provider, 200), (operator, 200)):
        assert call(actor, "get", address).status_code == status, actor
    for actor, status in ((None, 401), (buyer, 403), (colleague, 403), (rival, 404), (provider, 200)):
        assert call(actor, "post", f"{address}/submit").status_code == status, actor
    for verb in ("list", "suspend"):
        for actor, status in ((None, 401), (buyer, 403), (provider, 403), (operator, 200)):
            assert call(actor, "post", f"{address}/{verb}").status_code == status, actor
    for actor, status in ((None, 401), (buyer, 403), (rival, 404), (provider, 200)):
        assert call(actor, "post", f"{address}/retire").status_code == status, actor
    assert call(provider, "post", f"{address}/retire").status_code == 409


def test_the_list_costs_the_same_queries_for_one_and_for_twenty(
    call: Call, buyer: Actor, operator: Actor, make_site: Callable[..., Site]
) -> None:
    counts = []
    for wanted in (1, 20):
        while Site.objects.count() < wanted:
            site = make_site(f"site-{Site.objects.count()}")
            services.state_latency(operator, site.id, "beijing", Decimal(5), now=NOW)
        with CaptureQueriesContext(connection) as queries:
            assert len(call(buyer, "get", "/v1/sites").json()["data"]) == wanted
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_hubs_and_metros_are_open_to_whoever_acts(call: Call, buyer: Actor) -> None:
    hubs = call(buyer, "get", "/v1/hubs").json()["data"]
    assert len(hubs) == 8
    assert {cluster["code"] for hub in hubs for cluster in hub["clusters"]} >= {"cn-jingjinji-zhangjiakou"}
    assert "beijing" in {metro["code"] for metro in call(buyer, "get", "/v1/metros").json()["data"]}
    for path in ("/v1/hubs", "/v1/metros", "/v1/sites"):
        assert call(None, "get", path).status_code == 401
        assert call(buyer, "get", path, colour="red").status_code == 400
