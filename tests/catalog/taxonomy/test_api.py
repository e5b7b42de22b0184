"""The reference data over the API."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.actors.actor import Actor

Call = Callable[..., Any]


def test_service_classes_say_their_forms_units_and_edition(call: Call, buyer: Actor) -> None:
    rows = {row["code"]: row for row in call(buyer, "get", "/v1/service-classes").json()["data"]}
    assert len(rows) == 5
    assert {form["form"]: form["unit"] for form in rows["ai_acceleration"]["forms"]} == {
        "card": "card_hours",
        "machine": "machine_hours",
    }
    assert rows["storage"]["edition"]["source"]


def test_resource_types_are_filtered_and_have_pages(call: Call, buyer: Actor) -> None:
    found = call(buyer, "get", "/v1/resource-types", vendor="huawei", form="card", min_mem_gb=128).json()
    assert [row["code"] for row in found["data"]] == ["ascend-910c"]
    first = call(buyer, "get", "/v1/resource-types", limit=5).json()
    rest = call(buyer, "get", "/v1/resource-types", limit=5, cursor=first["next_cursor"]).json()
    codes = [row["code"] for row in first["data"] + rest["data"]]
    assert codes == sorted(codes)
    assert len(set(codes)) == 10


def test_what_is_not_published_is_null(call: Call, buyer: Actor) -> None:
    (row,) = call(buyer, "get", "/v1/resource-types", code="s60").json()["data"]
    assert (row["fp16_dense_tflops"], row["accelerator"], row["memory_bandwidth_gbps"]) == (None, None, "672.000")
    (machine,) = call(buyer, "get", "/v1/resource-types", code="h20-x8").json()["data"]
    assert (machine["accelerator"], machine["accelerators_per_unit"]) == ("h20", 8)


def test_units_are_one_short_list(call: Call, buyer: Actor) -> None:
    codes = [row["code"] for row in call(buyer, "get", "/v1/units").json()["data"]]
    assert "card_hours" in codes
    assert call(buyer, "get", "/v1/units", colour="red").status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/v1/service-classes", "/v1/resource-types", "/v1/units"])
def test_nobody_is_asked_to_sign_in(call: Call, path: str) -> None:
    assert call(None, "get", path).status_code == 401
