"""The money over HTTP: shapes, refusals, who may, and what a repeated request does."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.foundation import ids
from billing.ledger import queries as books
from billing.ledger.models import LedgerTransaction
from billing.payments.models import BankReceipt, TopUp
from tests.api.caller import Api, pointers
from tests.billing import cast
from tests.billing.cast import Desk
from tests.billing.ledger.books import hold, invoice, top_up

pytestmark = pytest.mark.django_db

SIX_THOUSAND = {"amount": {"amount": "6000.00", "currency": "CNY"}}


@pytest.fixture
def desk() -> Desk:
    return cast.desk()


def line(amount: str = "6000.00", bank_reference: str = "B-1", **more: str) -> dict[str, Any]:
    return {
        "bank_reference": bank_reference,
        "amount": {"amount": amount, "currency": "CNY"},
        "value_date": "2026-05-01",
        "payer": "Beichen AI Lab Ltd",
        **more,
    }


def requested(desk: Desk) -> dict[str, Any]:
    response = desk.trader.post("/v1/top-ups", SIX_THOUSAND)
    assert response.status_code == 201, response.content
    answer: dict[str, Any] = response.json()
    return answer


def test_a_top_up_from_the_request_to_the_wallet(desk: Desk) -> None:
    asked = requested(desk)
    assert asked["amount"] == {"amount": "6000.00", "currency": "CNY"}
    assert (asked["status"], asked["bank_reference"]) == ("awaiting", None)

    response = desk.clerk.post(f"/v1/top-ups/{asked['id']}/confirm", line())
    assert response.status_code == 200, response.content
    assert (response.json()["status"], response.json()["bank_reference"]) == ("confirmed", "B-1")

    wallet = desk.viewer.get("/v1/wallet").json()
    assert wallet["organisation"] == ids.spell("org", desk.lab.id)
    assert [row["available"] for row in wallet["funds"]] == [{"amount": "6000.00", "currency": "CNY"}]
    entries = desk.viewer.get("/v1/ledger-entries").json()["data"]
    assert [(row["account"]["code"], row["amount"]["amount"], row["source_type"]) for row in entries] == [
        ("2000", "-6000.00", "top_up")
    ]


def test_a_repeated_confirmation_credits_once(desk: Desk) -> None:
    asked = requested(desk)
    first = desk.clerk.post(f"/v1/top-ups/{asked['id']}/confirm", line(), key="k1")
    second = desk.clerk.post(f"/v1/top-ups/{asked['id']}/confirm", line(), key="k1")
    assert first.content == second.content
    assert second["Idempotency-Replayed"] == "true"
    assert LedgerTransaction.objects.count() == 1


@pytest.mark.parametrize("path", ["/v1/top-ups", "/v1/bank-receipts"])
def test_posts_that_move_money_need_a_key(desk: Desk, path: str) -> None:
    caller = desk.trader if path == "/v1/top-ups" else desk.clerk
    response = caller.post(path, SIX_THOUSAND, key=None)
    assert response.status_code == 400
    assert pointers(response) == ["Idempotency-Key"]


def test_an_amount_other_than_announced_is_refused_with_both(desk: Desk) -> None:
    asked = requested(desk)
    response = desk.clerk.post(f"/v1/top-ups/{asked['id']}/confirm", line("5999.99"))
    assert response.status_code == 422
    problem = response.json()
    assert problem["code"] == "amount_mismatch"
    assert problem["announced"] == {"amount": "6000.00", "currency": "CNY"}
    assert problem["received"] == {"amount": "5999.99", "currency": "CNY"}
    assert books.funds(desk.lab.id, "CNY").balance_minor == 0


NO_AMOUNTS = [
    "0", "0.00", "-1.00", "1.001", "1e3", "NaN", "Infinity", "1_000", "１２", " 5 ", "-0", "", "1,5", "9" * 23,
    "10000000000.01", 12, 12.5, None, True, [], {"amount": "1.00"},
]  # fmt: skip
OTHER_SHAPES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["#/amount"]),
    ({"amount": "12.00"}, ["#/amount"]),
    ({"amount": {"amount": "12.00"}}, ["#/amount/currency"]),
    ({"amount": {"amount": "12.00", "currency": "cny"}}, ["#/amount/currency"]),
    ({"amount": {"amount": "1.5", "currency": "JPY"}}, ["#/amount/amount"]),
    (SIX_THOUSAND | {"status": "confirmed"}, ["#/status"]),
    (SIX_THOUSAND | {"organisation": "org_1"}, ["#/organisation"]),
]
WRONG_FIELDS = [
    ("bank_reference", ""),
    ("bank_reference", "x" * 65),
    ("value_date", "2026-02-30"),
    ("value_date", "1999-01-01"),
    ("payer", "   "),
    ("remittance", "x" * 201),
]


def test_what_is_no_amount_is_refused_at_its_place(desk: Desk) -> None:
    for amount in NO_AMOUNTS:
        response = desk.trader.post("/v1/top-ups", {"amount": {"amount": amount, "currency": "CNY"}})
        assert (response.status_code, pointers(response)) == (400, ["#/amount/amount"]), amount
    assert not TopUp.objects.exists()


def test_a_request_of_another_shape_is_refused(desk: Desk) -> None:
    for body, places in OTHER_SHAPES:
        response = desk.trader.post("/v1/top-ups", body)
        assert (response.status_code, pointers(response)) == (400, places), body
    assert not TopUp.objects.exists()


def test_a_bank_line_that_cannot_be_read_is_refused_at_its_place(desk: Desk) -> None:
    for field, value in WRONG_FIELDS:
        response = desk.clerk.post("/v1/bank-receipts", line() | {field: value})
        assert (response.status_code, pointers(response)) == (400, [f"#/{field}"]), value
    assert desk.clerk.post("/v1/bank-receipts", line(payer="a\x00b")).status_code == 400
    assert not BankReceipt.objects.exists()


def test_a_receipt_waits_until_it_is_matched(desk: Desk) -> None:
    asked = requested(desk)
    receipt = desk.clerk.post("/v1/bank-receipts", line()).json()
    assert (receipt["status"], receipt["top_up"]) == ("unmatched", None)
    response = desk.clerk.post(f"/v1/bank-receipts/{receipt['id']}/match", {"top_up": asked["id"]})
    assert response.status_code == 200, response.content
    assert (response.json()["status"], response.json()["top_up"]) == ("matched", asked["id"])
    assert desk.auditor.get("/v1/bank-receipts", status="matched").json()["data"] == [response.json()]


def test_a_cancelled_and_a_returned_top_up(desk: Desk) -> None:
    asked = requested(desk)
    assert desk.trader.post(f"/v1/top-ups/{asked['id']}/cancel").json()["status"] == "cancelled"
    again = desk.trader.post(f"/v1/top-ups/{asked['id']}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "top_up_move_refused")

    asked = requested(desk)
    desk.clerk.post(f"/v1/top-ups/{asked['id']}/confirm", line())
    assert desk.clerk.post(f"/v1/top-ups/{asked['id']}/return").json()["status"] == "returned"
    assert books.funds(desk.lab.id, "CNY").balance_minor == 0


def test_the_trial_balance_is_in_major_units_and_balanced(desk: Desk) -> None:
    top_up(desk.party, 600_000)
    invoice(desk.party, 392_500)
    balance = desk.auditor.get("/v1/trial-balance").json()
    assert balance["balanced"] is True
    assert (balance["debit"], balance["credit"]) == ("9925.00", "9925.00")
    assert [(row["code"], row["balance"]) for row in balance["rows"]] == [
        ("1020", "6000.00"),
        ("2000", "-2075.00"),
        ("4010", "-3925.00"),
    ]
    assert desk.auditor.get("/v1/trial-balance", currency="USD").json()["rows"] == []


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ({"currency": "XXX"}, "currency"),
        ({"until": "2026-05-01T00:00:00"}, "until"),
        ({"until": "2101-01-01T00:00:00Z"}, "until"),
        ({"unknown": "1"}, "unknown"),
    ],
)
def test_the_trial_balance_refuses_what_it_does_not_know(desk: Desk, query: dict[str, str], place: str) -> None:
    response = desk.auditor.get("/v1/trial-balance", **query)
    assert response.status_code == 400
    assert pointers(response) == [place]


def test_lists_can_be_filtered_and_refuse_unknown_filters(desk: Desk) -> None:
    top_up(desk.party, 100)
    top_up(desk.party, 200)
    held = hold(desk.party, 50)
    project = ids.spell("prj", desk.party.project_id)
    assert len(desk.auditor.get("/v1/ledger-entries").json()["data"]) == 4
    assert len(desk.auditor.get("/v1/ledger-entries", code="1020").json()["data"]) == 2
    assert [row["id"] for row in desk.viewer.get("/v1/holds", status="open", project=project).json()["data"]] == [
        ids.spell("hld", held.id)
    ]
    assert desk.viewer.get("/v1/holds", status="closed").json()["data"] == []
    for path, parameter in (
        ("/v1/holds", {"status": "lost"}),
        ("/v1/ledger-entries", {"code": "9999"}),
        ("/v1/ledger-entries", {"posted_from": "yesterday"}),
        ("/v1/top-ups", {"organisation": "org_1"}),
        ("/v1/top-ups", {"amount_minor": "1"}),
    ):
        response = desk.auditor.get(path, **parameter)
        assert response.status_code == 400
        assert pointers(response) == [*parameter]


# Who may call what: trader, viewer, stranger (another buyer), seller, clerk, auditor, nobody.
MATRIX = [
    ("GET", "/v1/wallet", (200, 200, 200, 403, 403, 403, 401)),
    ("GET", "/v1/holds", (200, 200, 200, 403, 200, 200, 401)),
    ("GET", "/v1/ledger-entries", (200, 200, 200, 200, 200, 200, 401)),
    ("GET", "/v1/trial-balance", (403, 403, 403, 403, 200, 200, 401)),
    ("GET", "/v1/unmatched-items", (403, 403, 403, 403, 200, 200, 401)),
    ("GET", "/v1/payable", (403, 403, 403, 200, 200, 200, 401)),
    ("GET", "/v1/payment-methods", (200, 200, 200, 403, 200, 200, 401)),
    ("GET", "/v1/top-ups", (200, 200, 200, 403, 200, 200, 401)),
    ("GET", "/v1/bank-receipts", (403, 403, 403, 403, 200, 200, 401)),
    ("GET", "/v1/top-ups/{top_up}", (200, 200, 404, 403, 200, 200, 401)),
    ("POST", "/v1/top-ups", (201, 403, 201, 403, 403, 403, 401)),
    ("POST", "/v1/bank-receipts", (403, 403, 403, 403, 201, 403, 401)),
    ("POST", "/v1/top-ups/{top_up}/confirm", (403, 403, 403, 403, 200, 403, 401)),
    ("POST", "/v1/top-ups/{top_up}/cancel", (200, 403, 404, 403, 200, 403, 401)),
    ("POST", "/v1/top-ups/{top_up}/return", (403, 403, 403, 403, 409, 403, 401)),
    ("POST", "/v1/bank-receipts/{receipt}/match", (403, 403, 403, 403, 200, 403, 401)),
]
BODIES = {"top-ups": SIX_THOUSAND, "bank-receipts": line(), "confirm": line(), "cancel": {}, "return": {}}


@pytest.mark.parametrize(("method", "path", "statuses"), MATRIX, ids=[f"{row[0]} {row[1]}" for row in MATRIX])
def test_who_may_call_what(desk: Desk, method: str, path: str, statuses: tuple[int, ...]) -> None:
    callers = (desk.trader, desk.viewer, desk.stranger, desk.seller, desk.clerk, desk.auditor, Api())
    for number, (caller, status) in enumerate(zip(callers, statuses, strict=True)):
        top_up_id = requested(desk)["id"]
        address = path.format(top_up=top_up_id, receipt=waiting(desk, number) if "{receipt}" in path else "")
        before = LedgerTransaction.objects.count()
        if method == "GET":
            response = caller.get(address)
        else:
            name = path.rsplit("/", 1)[-1]
            body = {"top_up": top_up_id} if name == "match" else BODIES[name]
            response = caller.post(address, body)
        assert response.status_code == status, (number, response.content)
        if status >= 400:
            assert LedgerTransaction.objects.count() == before


def waiting(desk: Desk, number: int) -> str:
    """Have a receipt recorded that quotes nothing; return its id."""
    answer = desk.clerk.post("/v1/bank-receipts", line(bank_reference=f"waiting {number}")).json()
    return str(answer["id"])


def test_foreign_and_missing_top_ups_look_the_same(desk: Desk) -> None:
    foreign = requested(desk)["id"]
    missing = ids.spell("top", ids.new_id())
    read = [desk.stranger.get(f"/v1/top-ups/{top_up_id}") for top_up_id in (foreign, missing)]
    cancelled = [desk.stranger.post(f"/v1/top-ups/{top_up_id}/cancel") for top_up_id in (foreign, missing)]
    for first, second in (read, cancelled):
        assert (first.status_code, first.content) == (404, second.content)


def test_nothing_of_one_organisation_shows_in_the_lists_of_another(desk: Desk) -> None:
    asked = requested(desk)
    top_up(desk.party, 100)
    hold(desk.party, 50)
    for path in ("/v1/top-ups", "/v1/ledger-entries", "/v1/holds", "/v1/wallet"):
        body = json.dumps(desk.stranger.get(path).json())
        assert asked["id"] not in body
        assert ids.spell("org", desk.lab.id) not in body


@pytest.mark.parametrize("path", ["/v1/top-ups", "/v1/ledger-entries", "/v1/holds", "/v1/bank-receipts", "/v1/payable"])
def test_a_list_costs_the_same_for_one_row_and_for_twenty(desk: Desk, path: str) -> None:
    def more() -> None:
        top_up(desk.party, 100)
        hold(desk.party, 50)
        asked = desk.trader.post("/v1/top-ups", SIX_THOUSAND).json()["id"]
        desk.clerk.post(f"/v1/top-ups/{asked}/confirm", line(bank_reference=str(ids.new_id())))

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.auditor.get(path).status_code == 200
        return len(captured)

    more()
    one = queries()
    for _ in range(19):
        more()
    assert queries() == one
