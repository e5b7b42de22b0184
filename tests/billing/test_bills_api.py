"""Contracts, usage and invoices over HTTP: shapes, and who sees what."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.foundation import clock, ids
from accounts.keys.rules import Scope
from accounts.organisations import members
from accounts.organisations.models import Organisation, User
from accounts.organisations.rules import Role
from billing.contracts import services as contracts
from billing.contracts.models import Contract
from billing.invoices import services as invoices
from billing.invoices.models import Invoice
from billing.usage.api import BATCH, SINGLE
from billing.usage.models import MeteringPoint, UsageEvent
from tests.accounts import cast as people
from tests.api.caller import Api, pointers
from tests.billing import delivery
from tests.billing.delivery import AFTER, SYSTEM, Stage

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _the_day_after() -> Iterator[None]:
    with clock.travel(AFTER):
        yield


def member(of: Organisation, name: str, role: Role) -> User:
    # Without a password: hashing one for each of them would take longer than the tests.
    user = User.objects.create(email=f"{name}@example.com", display_name=name.title(), created_at=people.NOW)
    members.add_member(SYSTEM, of.id, user.id, role, now=people.NOW)
    return user


def signed_in(of: Organisation, name: str, role: Role) -> Api:
    return Api.signed_in(member(of, name, role))


class House:
    """A contract in delivery, and everybody who may look at it, each as a caller."""

    def __init__(self) -> None:
        self.stage: Stage = delivery.stage()
        delivery.fund(self.stage.buyer, 600_000)
        self.contract: Contract = delivery.contract(self.stage, [delivery.slot(self.stage, 0, 10, 4, 10_000_000)])
        self.metered: MeteringPoint = delivery.point(self.contract, self.stage.offering)
        self.trader = signed_in(self.stage.buyer, "trader", Role.BUYER_TRADER)
        self.viewer = signed_in(self.stage.buyer, "viewer", Role.BUYER_VIEWER)
        stranger = people.organisation("Lanting Robotics")
        self.stranger = signed_in(stranger, "stranger", Role.BUYER_ADMIN)
        head = member(self.stage.provider, "seller", Role.PROVIDER_ADMIN)
        self.seller = Api.signed_in(head)
        self.agent = Api(people.key(people.acting(head), Scope.METER, now=AFTER))
        self.clerk = signed_in(self.stage.exchange, "clerk", Role.FINANCE_OPERATOR)
        self.nobody = Api()

    @property
    def contract_path(self) -> str:
        """The address of the contract."""
        return f"/v1/contracts/{ids.spell('ctr', self.contract.id)}"

    def deliver(self) -> None:
        """Report ten hours less one card for one hour, and some egress."""
        batch = [
            delivery.segment(self.metered, "s1", 0, 9, 4),
            delivery.segment(self.metered, "s2", 9, 10, 3),
            delivery.reading(self.metered, "e1", 0, 10, "125.5"),
        ]
        response = self.agent.post("/v1/usage-events", batch, key=None, content_type=BATCH)
        assert response.json()["accepted"] == 3, response.content

    def finish(self) -> tuple[Invoice, Invoice]:
        """Deliver, end and bill."""
        self.deliver()
        contracts.end(SYSTEM, self.contract.id, now=AFTER)
        invoice = invoices.invoice_contract(SYSTEM, self.contract.id, now=AFTER)
        statement = invoices.issue_statement(SYSTEM, self.contract.id, now=AFTER)
        assert invoice is not None
        assert statement is not None
        return invoice, statement


@pytest.fixture
def house() -> House:
    return House()


def test_a_batch_answers_every_item_in_order(house: House) -> None:
    batch: list[Any] = [
        delivery.segment(house.metered, "s1", 0, 1, 4),
        delivery.segment(house.metered, "s1", 0, 1, 4),
        delivery.segment(house.metered, "s1", 0, 1, 3),
        delivery.reading(house.metered, "e1", 0, 1, "NaN"),
        7,
    ]
    response = house.agent.post("/v1/usage-events", batch, key=None, content_type=BATCH)
    assert response.status_code == 200
    answer = response.json()
    assert {name: answer[name] for name in ("accepted", "duplicate", "conflict", "rejected")} == {
        "accepted": 1,
        "duplicate": 1,
        "conflict": 1,
        "rejected": 2,
    }
    results = answer["results"]
    assert [result["status_code"] for result in results] == [201, 200, 409, 422, 422]
    assert [result["pointer"] for result in results] == ["", "", "/2/id", "/3/data/quantity", "/4"]
    assert results[0]["usage_event"].startswith("usg_")


@pytest.mark.parametrize("content_type", [SINGLE, "application/json"])
def test_a_single_event_may_come_alone(house: House, content_type: str) -> None:
    event = delivery.segment(house.metered, "s1", 0, 1, 4)
    response = house.agent.post("/v1/usage-events", event, key=None, content_type=content_type)
    assert response.json()["results"][0]["status"] == "accepted"


@pytest.mark.parametrize(
    "body", [b"", b"[", b"[NaN]", b'[{"id": 1, "id": 2}]', b"[" * 100_000, b'["\\u0000"]', b"[1e999]", b"\xff"]
)
def test_a_body_that_is_no_json_is_refused_whole(house: House, body: bytes) -> None:
    response = house.agent.post("/v1/usage-events", body, key=None, content_type=BATCH)
    assert response.status_code == 400
    assert UsageEvent.objects.count() == 0


def test_lines_are_read_one_by_one_and_a_broken_one_spoils_no_other(house: House) -> None:
    good, other = (delivery.reading(house.metered, f"line-{n}", 0, 1, "1") for n in range(2))
    lines = [json.dumps(good), "", "{", '{"id": 1, "id": 2}', "\u00fc", json.dumps(other)]
    body = "\n".join(lines).encode() + b"\n\xff\n"
    answer = house.agent.post("/v1/usage-events", body, key=None, content_type="application/x-ndjson").json()
    assert [(item["index"], item["status"], item["code"]) for item in answer["results"]] == [
        (0, "accepted", ""),
        (1, "rejected", "not_json"),
        (2, "rejected", "not_json"),
        (3, "rejected", "not_json"),
        (4, "accepted", ""),
        (5, "rejected", "not_json"),
    ]
    assert "not JSON" in answer["results"][1]["detail"]
    again = house.agent.post("/v1/usage-events", body, key=None, content_type="application/x-ndjson").json()
    assert (again["duplicate"], again["rejected"]) == (2, 4)


def test_a_body_of_more_than_sixteen_megabytes_is_refused(house: House) -> None:
    body = b" " * (16 * 1024 * 1024 + 1)
    response = house.agent.post("/v1/usage-events", body, key=None, content_type="application/x-ndjson")
    assert (response.status_code, response.json()["code"]) == (400, "body_too_large")


def test_lines_with_more_names_than_are_read_at_once_are_refused_whole(house: House) -> None:
    line = b"{" + b",".join(b'"%d":1' % n for n in range(50)) + b'}\n"\n'
    response = house.agent.post("/v1/usage-events", line * 8_001, key=None, content_type="application/x-ndjson")
    assert (response.status_code, response.json()["code"]) == (400, "body_too_large")
    assert "400050 names" in response.json()["detail"]


def test_a_batch_is_neither_empty_nor_endless(house: House) -> None:
    for batch in ([], [1] * 10_001):
        response = house.agent.post("/v1/usage-events", batch, key=None, content_type=BATCH)
        assert response.status_code == 400, response.content


def test_only_a_metering_key_reports(house: House) -> None:
    batch = [delivery.segment(house.metered, "s1", 0, 1, 4)]
    for caller, status in ((house.trader, 403), (house.clerk, 403), (house.nobody, 401)):
        assert caller.post("/v1/usage-events", batch, key=None, content_type=BATCH).status_code == status


def test_both_parties_and_finance_read_usage_and_strangers_see_none(house: House) -> None:
    house.deliver()
    for caller, count in ((house.viewer, 3), (house.seller, 3), (house.clerk, 3), (house.stranger, 0)):
        assert len(caller.get("/v1/usage-events").json()["data"]) == count
    (reading,) = house.viewer.get("/v1/usage-events", kind="reading").json()["data"]
    assert (reading["meter"], reading["quantity"], reading["reverses"]) == ("egress_gb", "125.5", None)
    assert house.viewer.get("/v1/usage-events", lease="lse_x").status_code == 400


def test_each_side_sees_its_own_terms_of_a_contract(house: House) -> None:
    buyers = house.viewer.get(house.contract_path).json()
    providers = house.seller.get(house.contract_path).json()
    assert buyers["held"] == {"amount": "428.24", "currency": "CNY"}
    assert buyers["terms"]["fees"] == {"version": 1, "buyer_fee_ppm": 10_000}
    assert "purchase_taxes" not in buyers["terms"]
    assert (providers["held"], providers["project"]) == (None, None)
    assert providers["terms"]["fees"] == {"version": 1, "provider_commission_ppm": 40_000}
    assert buyers["slots"] == providers["slots"]
    assert buyers["slots"][0]["price"] == "10.000000"
    assert house.clerk.get(house.contract_path).json()["terms"]["fees"].keys() == {
        "version",
        "buyer_fee_ppm",
        "provider_commission_ppm",
    }


def test_a_strangers_contract_looks_like_none(house: House) -> None:
    theirs = house.stranger.get(house.contract_path)
    none = house.stranger.get(f"/v1/contracts/{ids.spell('ctr', ids.new_id())}")
    assert theirs.status_code == none.status_code == 404
    assert theirs.json() == none.json()
    assert house.stranger.get("/v1/contracts").json()["data"] == []
    assert house.nobody.get(house.contract_path).status_code == 401


def test_an_invoice_shows_lines_taxes_and_where_they_came_from(house: House) -> None:
    invoice, _ = house.finish()
    found = house.viewer.get(f"/v1/invoices/{ids.spell('inv', invoice.id)}").json()
    assert (found["number"], found["type_code"], found["status"]) == ("INV-2026-000001", "380", "paid")
    assert [(line["quantity"], line["unit"], line["amount"]["amount"]) for line in found["lines"]] == [
        ("39", "card_hours", "390.00"),
        ("125.5", "egress_gb", "62.75"),
        ("10", "percent", "-1.00"),
        ("1", "percent", "3.90"),
    ]
    assert found["lines"][0]["price"] == "10.000000"
    assert found["lines"][0]["invoice_unit_code"] == "HUR"
    assert found["lines"][2]["share_of"] == {"amount": "10.00", "currency": "CNY"}
    assert found["lines"][0]["origin"]["contract"] == ids.spell("ctr", house.contract.id)
    assert found["taxes"] == [
        {
            "category": "S",
            "percent": "6",
            "base": {"amount": "455.65", "currency": "CNY"},
            "tax": {"amount": "27.34", "currency": "CNY"},
        }
    ]
    assert found["total"] == {"amount": "482.99", "currency": "CNY"}
    lines = house.viewer.get(f"/v1/invoices/{ids.spell('inv', invoice.id)}/lines", limit="2").json()
    assert [line["n"] for line in lines["data"]] == [1, 2]
    assert lines["has_more"] is True


def test_invoices_are_the_buyers_and_statements_the_providers(house: House) -> None:
    invoice, statement = house.finish()
    inv, stm = ids.spell("inv", invoice.id), ids.spell("stm", statement.id)
    assert house.seller.get("/v1/invoices").status_code == 403
    assert house.viewer.get("/v1/statements").status_code == 403
    assert house.stranger.get(f"/v1/invoices/{inv}").status_code == 404
    assert house.stranger.get(f"/v1/invoices/{inv}/lines").status_code == 404
    assert house.clerk.get(f"/v1/invoices/{ids.spell('inv', statement.id)}").status_code == 404
    found = house.seller.get(f"/v1/statements/{stm}").json()
    assert (found["id"], found["type_code"], found["kind"]) == (stm, "389", "provider_statement")
    assert [len(house.clerk.get(f"/v1/{name}").json()["data"]) for name in ("invoices", "statements")] == [1, 1]


def test_an_invoice_on_demand_is_drawn_once_for_a_key(house: House) -> None:
    house.deliver()
    path = f"{house.contract_path}/invoice"
    first, second = (house.trader.post(path, key="now-please") for _ in range(2))
    assert first.status_code == 201, first.content
    assert first.content == second.content
    assert Invoice.objects.count() == 1
    again = house.trader.post(path)
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_invoice")
    assert house.viewer.post(path).status_code == 403
    assert house.stranger.post(path).status_code == 404
    assert pointers(house.trader.post(path, key=None)) == ["Idempotency-Key"]
    assert pointers(house.trader.post(path, {"amount": 1})) == ["#/amount"]


@pytest.mark.parametrize("name", ["contracts", "usage-events", "invoices"])
def test_lists_ask_the_database_as_often_for_one_row_as_for_many(house: House, name: str) -> None:
    house.finish()
    house.viewer.get(f"/v1/{name}")
    with CaptureQueriesContext(connection) as one:
        house.viewer.get(f"/v1/{name}", limit="1")
    for _ in range(3):
        contract = delivery.contract(house.stage, [delivery.slot(house.stage, 0, 1, 4, 10_000_000)])
        metered = delivery.point(contract, house.stage.offering)
        delivery.report(house.stage, [delivery.segment(metered, f"more {ids.new_id()}", 0, 1, 4)])
        invoices.invoice_on_demand(house.stage.trader, contract.id, now=AFTER)
    with CaptureQueriesContext(connection) as many:
        rows = house.viewer.get(f"/v1/{name}").json()["data"]
    assert len(rows) >= 4
    assert len(many) == len(one)


def test_the_document_can_be_read_and_printed(house: House) -> None:
    invoice, statement = house.finish()
    page = house.viewer.client.get(reverse("invoice", args=[invoice.id]))
    assert page.status_code == 200
    text = page.content.decode()
    for words in ("INV-2026-000001", "Ascend 910B3, Zhangjiakou, round price 10.00", "of 10.00", "482.99 CNY"):
        assert words in text
    assert house.stranger.client.get(reverse("invoice", args=[invoice.id])).status_code == 404
    page = house.seller.client.get(reverse("statement", args=[statement.id]))
    assert "Exchange commission" in page.content.decode()
