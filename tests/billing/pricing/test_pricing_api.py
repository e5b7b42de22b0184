"""Classes, adjustments, coefficients and vouchers over HTTP: who may, what is answered, what is refused by name."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.actors.actor import Capability
from accounts.foundation import clock, ids
from accounts.organisations.models import Organisation
from catalog.offerings.models import Offering
from tests.billing import cast
from tests.billing.cast import Desk
from tests.catalog import cast as catalogue

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return cast.desk()


@pytest.fixture
def offering(desk: Desk) -> Offering:
    house = Organisation.objects.get(can_operate=True)
    operator = catalogue.acting_for(house, frozenset({Capability.OPERATE}))
    owner = Organisation.objects.get(id=desk.provider.id)
    site = catalogue.listed_site(operator, "zjk-1")
    return catalogue.listed_offering(operator, catalogue.acting_for(owner, catalogue.SELLING), site)


def pointers(problem: dict[str, Any]) -> list[str]:
    return [error["pointer"] for error in problem["errors"]]


def test_a_provider_classes_its_buyers_and_adjusts_its_rate_card(desk: Desk, offering: Offering) -> None:
    buyer = ids.spell("org", desk.lab.id)
    given = {"buyer": buyer, "customer_class": "partner"}
    made = desk.seller.post("/v1/customer-classes", given)
    assert (made.status_code, made.json()["customer_class"]) == (201, "partner")
    adjusted = desk.seller.post(
        "/v1/price-adjustments",
        {"offering": ids.spell("ofr", offering.id), "factor_ppm": 800_000, "customer_class": "partner"},
    )
    assert (adjusted.status_code, adjusted.json()["factor_ppm"]) == (201, 800_000)
    for path in ("/v1/customer-classes", "/v1/price-adjustments"):
        assert len(desk.seller.get(path).json()["data"]) == 1
        assert len(desk.auditor.get(path).json()["data"]) == 1
        assert desk.viewer.get(path).status_code == 403
    assert desk.trader.post("/v1/customer-classes", given).status_code == 403
    stranger = {"offering": ids.spell("ofr", ids.new_id()), "factor_ppm": 1}
    assert desk.seller.post("/v1/price-adjustments", stranger).status_code == 404
    again = desk.seller.post("/v1/customer-classes", given | {"effective_from": "2026-01-01T00:00:00Z"})
    assert (again.status_code, pointers(again.json())) == (400, ["#/effective_from"])


def test_a_coefficient_is_public_and_set_by_finance(desk: Desk) -> None:
    later = (clock.now() + timedelta(days=1)).isoformat()
    given = {"precision": "int8", "coefficient_ppm": 500_000, "source": "A pilot", "effective_from": later}
    assert desk.clerk.post("/v1/coefficients", given).status_code == 201
    assert desk.seller.post("/v1/coefficients", given).status_code == 403
    assert [row["precision"] for row in desk.viewer.get("/v1/coefficients").json()["data"]] == ["int8", "fp16"]
    assert desk.clerk.post("/v1/coefficients", given).status_code == 409
    wrong = desk.clerk.post("/v1/coefficients", given | {"coefficient_ppm": 0})
    assert pointers(wrong.json()) == ["#/coefficient_ppm"]


def test_a_voucher_is_issued_by_finance_and_seen_by_its_buyer(desk: Desk) -> None:
    given = {
        "organisation": ids.spell("org", desk.lab.id),
        "code": "SPRING-1",
        "value": {"amount": "100.00", "currency": "CNY"},
        "valid_to": (clock.now() + timedelta(days=30)).isoformat(),
        "meters": ["egress_gb"],
    }
    made = desk.clerk.post("/v1/vouchers", given)
    assert (made.status_code, made.json()["used"]["amount"]) == (201, "0.00")
    assert desk.trader.post("/v1/vouchers", given).status_code == 403
    assert desk.clerk.post("/v1/vouchers", given).json()["code"] == "voucher_code_taken"
    assert [row["code"] for row in desk.viewer.get("/v1/vouchers").json()["data"]] == ["SPRING-1"]
    assert desk.stranger.get("/v1/vouchers").json()["data"] == []
    wrong = desk.clerk.post("/v1/vouchers", given | {"code": "X", "meters": ["egress"]})
    assert pointers(wrong.json()) == ["#/meters/0"]


def test_a_rate_card_with_tiers_is_published_and_shown(desk: Desk, offering: Offering) -> None:
    path = f"/v1/offerings/{ids.spell('ofr', offering.id)}/rate-cards"
    tiers = [{"up_to": 100, "price": "0.50"}, {"price": "0.40"}]
    item = {"meter": "egress_gb", "model": "graduated", "tiers": tiers, "minimum": "10.00", "period": "month"}
    made = desk.seller.post(path, {"currency": "CNY", "items": [item]})
    assert made.status_code == 201, made.json()
    shown = made.json()["items"][0]
    assert (shown["model"], shown["minimum"], shown["period"]) == ("graduated", "10.000000", "month")
    assert shown["tiers"] == [{"up_to": 100, "price": "0.500000"}, {"up_to": None, "price": "0.400000"}]
    for change, pointer in (
        ({"price": "1.00"}, "#/items/0/price"),
        ({"model": "steep"}, "#/items/0/model"),
        ({"model": "package"}, "#/items/0/tiers"),
        ({"tiers": [{"up_to": 9, "price": "1"}, {"up_to": 5, "price": "1"}]}, "#/items/0/tiers/1/up_to"),
    ):
        wrong = desk.seller.post(path, {"currency": "CNY", "items": [item | change]})
        assert (wrong.status_code, pointers(wrong.json())) == (400, [pointer]), wrong.json()
