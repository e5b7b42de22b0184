"""What the description promises about inputs is what the strict fields and filters take."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from accounts.foundation import ids
from tests.api.caller import Api

if TYPE_CHECKING:
    from accounts.organisations.models import User


@pytest.fixture(scope="module")
def description() -> Any:
    return Api().get("/v1/openapi.json").json()


def parameter(description: Any, path: str, name: str) -> Any:
    (found,) = [item for item in description["paths"][path]["get"]["parameters"] if item["name"] == name]
    return found["schema"]


def test_whole_numbers_are_described_with_their_bounds(description: Any) -> None:
    quantity = description["components"]["schemas"]["PlaceOrder"]["properties"]["quantity"]

    assert (quantity["minimum"], quantity["maximum"]) == (1, 1_000_000)


def test_a_price_is_described_by_a_pattern_that_takes_neither_sign_nor_exponent(description: Any) -> None:
    pattern = description["components"]["schemas"]["PlaceOrder"]["properties"]["limit_price"]["pattern"]

    assert re.search(pattern, "12.50")
    assert not any(re.search(pattern, text) for text in ("-1", "1e3", "1_000", "１２", " 5 ", "007", "1.1234567"))


def test_ids_and_times_in_queries_are_described_as_they_are_taken(description: Any) -> None:
    buyer = parameter(description, "/v1/orders", "buyer")
    created = parameter(description, "/v1/orders", "created_from")

    assert re.search(buyer["pattern"], ids.spell("org", ids.new_id()))
    assert re.search(created["pattern"], "2026-05-01T08:00:00+08:00")
    assert not re.search(created["pattern"], "1999-05-01T08:00:00+08:00")


def test_choices_in_queries_are_listed(description: Any) -> None:
    assert "block" in parameter(description, "/v1/orders", "kind")["enum"]


def test_a_parameter_without_a_value_is_refused(viewer: User) -> None:
    response = Api.signed_in(viewer).get("/v1/service-classes?code=")

    assert response.status_code == 400
    assert response.json()["errors"][0]["parameter"] == "code"
