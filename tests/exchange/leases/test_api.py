"""Leases over HTTP: owner, lesser colleague, stranger and nobody."""

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actors.actor import Capability
from accounts.foundation import ids
from accounts.organisations.models import Organisation
from exchange.leases.models import Lease
from tests.catalog.cast import acting_for
from tests.exchange.cast import GATE, HOUR, D, viewer
from tests.exchange.leases.delivery import Delivery, at

Call = Callable[..., Any]


def address(lease: Lease, verb: str = "") -> str:
    return f"/v1/leases/{ids.spell('lse', lease.id)}{verb}"


def test_an_agent_delivers_and_its_buyer_follows(call: Call, delivery: Delivery) -> None:
    agent, buyer, lease = delivery.huailai_agent, delivery.story.beichen, delivery.lease
    at(GATE)
    assert call(agent, "post", address(lease, "/acknowledge")).json()["status"] == "acknowledged"
    assert call(agent, "post", address(lease, "/provision")).json()["status"] == "provisioning"
    at(D)
    active = call(agent, "post", address(lease, "/activate"), {"access": "ssh lab@10.0.0.7"}).json()
    assert (active["status"], active["access"]) == ("active", None)
    shown = call(buyer, "get", address(lease)).json()
    assert shown["access"] == "ssh lab@10.0.0.7"
    assert (shown["quantity"], shown["contracted_quantity"], shown["delivered_quantity"]) == ("16", "384.000", "0.000")
    assert call(agent, "post", address(lease, "/heartbeat")).status_code == 200
    assert call(buyer, "get", address(lease, "/segments")).json() == {
        "lease": ids.spell("lse", lease.id),
        "final": False,
        "segments": [],
    }


def test_owner_colleague_stranger_and_nobody(call: Call, delivery: Delivery) -> None:
    lease, story = delivery.lease, delivery.story
    colleague = viewer(Organisation.objects.get(id=story.beichen.organisation()))
    assert call(story.beichen, "get", address(lease)).status_code == 200
    assert call(colleague, "get", address(lease)).status_code == 200
    for stranger in (story.lanting, delivery.zhangbei_agent):
        assert call(stranger, "get", address(lease)).status_code == 404
        assert call(stranger, "get", address(lease, "/segments")).status_code == 404
    assert call(None, "get", address(lease)).status_code == 401
    assert call(delivery.zhangbei_agent, "post", address(lease, "/acknowledge")).status_code == 404
    assert call(story.beichen, "post", address(lease, "/acknowledge")).status_code == 403
    assert call(None, "post", address(lease, "/acknowledge")).status_code == 401
    operator = acting_for(Organisation.objects.get(can_operate=True), frozenset({Capability.SUPPORT}))
    assert len(call(operator, "get", "/v1/leases").json()["data"]) == 2


def test_what_cannot_be_is_refused_and_says_why(call: Call, delivery: Delivery) -> None:
    agent, lease = delivery.huailai_agent, delivery.lease
    at(D)
    early = call(agent, "post", address(lease, "/activate"), {"access": "ssh"})
    assert (early.status_code, early.json()["code"]) == (409, "lease_move_refused")
    empty = call(agent, "post", address(lease, "/activate"), {"access": ""})
    assert empty.status_code == 400
    assert empty.json()["errors"][0]["pointer"] == "#/access"
    wrong = call(agent, "post", address(lease, "/end"), {"reason": "tired"})
    assert wrong.json()["errors"][0]["pointer"] == "#/reason"
    unfinished = call(agent, "post", address(lease, "/end"), {"reason": "completed"})
    assert unfinished.json()["code"] == "lease_still_runs"


def test_the_same_key_hands_over_once(call: Call, delivery: Delivery) -> None:
    agent, lease = delivery.huailai_agent, delivery.lease
    at(GATE)
    first = call(agent, "post", address(lease, "/acknowledge"), key="one-key-for-one-act")
    again = call(agent, "post", address(lease, "/acknowledge"), key="one-key-for-one-act")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()


def test_lists_are_filtered_and_walked_with_the_same_number_of_queries(call: Call, delivery: Delivery) -> None:
    operator = acting_for(Organisation.objects.get(can_operate=True), frozenset({Capability.SUPPORT}))

    def queries_for(limit: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert len(call(operator, "get", "/v1/leases", limit=limit).json()["data"]) == limit
        return len(captured)

    assert queries_for(1) == queries_for(2)
    by_status = call(delivery.story.beichen, "get", "/v1/leases", status="scheduled").json()["data"]
    assert [row["id"] for row in by_status] == [ids.spell("lse", delivery.lease.id)]
    assert (
        call(delivery.story.beichen, "get", "/v1/leases", ends_after=(D + 24 * HOUR).isoformat()).json()["data"] == []
    )
    assert call(delivery.story.beichen, "get", "/v1/leases", colour="red").status_code == 400


def test_a_buyer_reads_what_is_owed_and_hands_back_a_rectangle_once(call: Call, delivery: Delivery) -> None:
    buyer, lease = delivery.story.beichen, delivery.lease
    at(GATE)
    schedule = call(buyer, "get", address(lease, "/schedule")).json()
    assert schedule["return_credits_ppm"] == [500_000]
    assert schedule["runs"] == [{"starts_at": iso(0), "ends_at": iso(24), "quantity": "16"}]
    body = {"quantity": 4, "starts_at": iso(10), "ends_at": iso(12)}
    for _ in range(2):
        answer = call(buyer, "post", address(lease, "/return"), body, key="return-key-0000000001")
        assert answer.status_code == 200
        assert answer.json()["credited"] == {"amount": "40.00", "currency": "CNY"}
        assert answer.json()["lease"]["contracted_quantity"] == "376.000"
    runs = call(delivery.huailai_agent, "get", address(lease, "/schedule")).json()["runs"]
    assert [run["quantity"] for run in runs] == ["16", "12", "16"]
    contract = call(buyer, "get", f"/v1/contracts/{ids.spell('ctr', lease.contract_id)}").json()
    (released,) = contract["releases"]
    assert (released["quantity"], released["credit_ppm"], released["starts_at"]) == (4, 500_000, iso(10))
    assert {slot["return_credit_ppm"] for slot in contract["slots"]} == {500_000}


def test_who_may_hand_back_and_what_is_refused(call: Call, delivery: Delivery) -> None:
    lease, story = delivery.lease, delivery.story
    at(GATE)
    body = {"quantity": 4, "starts_at": iso(10), "ends_at": iso(12)}
    path = address(lease, "/return")
    colleague = viewer(Organisation.objects.get(id=story.beichen.organisation()))
    assert call(colleague, "post", path, body).status_code == 403
    assert call(delivery.huailai_agent, "post", path, body).status_code == 403
    assert call(story.lanting, "post", path, body).status_code == 404
    assert call(None, "post", path, body).status_code == 401
    late = call(story.beichen, "post", path, body | {"ends_at": iso(25)})
    assert (late.status_code, late.json()["code"]) == (400, "return_invalid")
    assert late.json()["errors"][0]["pointer"] == "#/ends_at"
    many = call(story.beichen, "post", path, body | {"quantity": 17})
    assert (many.status_code, many.json()["code"]) == (409, "nothing_to_hand_back")


def iso(hour: int) -> str:
    """Return an hour of D as the API spells it."""
    return (D + hour * HOUR).isoformat().replace("+00:00", "Z")
