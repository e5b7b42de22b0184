"""The workbench over HTTP: a break from the run to its settlement, entries by hand, and the close of a month."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.foundation import clock, ids
from accounts.organisations.models import User
from accounts.organisations.rules import Role
from billing.ledger import queries as books
from billing.ledger.chart import Code
from tests.accounts import cast
from tests.api.caller import Api, pointers
from tests.billing.reconciliation import desk as desks
from tests.billing.reconciliation.desk import JUNE, Desk, stray

pytestmark = pytest.mark.django_db

WRITE_OFF = [{"code": "5200", "amount": "77.00"}, {"code": "5100", "amount": "-77.00"}]


@pytest.fixture
def desk() -> Desk:
    return desks.make()


@pytest.fixture
def clerk(desk: Desk) -> Api:
    return Api.signed_in(User.objects.get(email="clerk@example.org"))


@pytest.fixture
def approver(desk: Desk) -> Api:
    return Api.signed_in(User.objects.get(email="approver@example.org"))


def ok(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.content
    return response.json()


def found(clerk: Api) -> dict[str, Any]:
    """Run the reconciliation and return its only break."""
    ok(clerk.post("/v1/reconciliation-runs"), 201)
    (row,) = ok(clerk.get("/v1/breaks", status="open"))["data"]
    return dict(row)


def test_a_break_from_the_run_to_its_write_off(clerk: Api, approver: Api) -> None:
    posted = stray()
    row = found(clerk)
    assert (row["kind"], row["subject"], row["amount"]) == (
        "posting_without_source", ids.spell("txn", posted.id), {"amount": "77.00", "currency": "CNY"},
    )  # fmt: skip
    path = f"/v1/breaks/{row['id']}"
    owner = ids.spell("usr", User.objects.get(email="colleague@example.org").id)
    assert ok(clerk.post(f"{path}/assign", {"owner": owner}))["owner"] == "Colleague"
    ok(clerk.post(f"{path}/comments", {"text": "Who gave it?"}))
    settle = {"kind": "write_off", "reason": "Nobody knows.", "lines": WRITE_OFF}
    assert ok(clerk.post(f"{path}/settle", settle))["journal"]["status"] == "proposed"
    assert clerk.post(f"{path}/approve").status_code == 403
    done = ok(approver.post(f"{path}/approve"))
    assert (done["status"], done["resolved_by"], done["journal"]["status"]) == ("written_off", "Approver", "posted")
    assert [note["kind"] for note in done["notes"]] == ["seen", "owner", "comment", "proposed", "resolved"]
    assert books.balance(Code.BAD_DEBT, "CNY") == 7_700
    assert approver.post(f"{path}/explain", {"explanation": "again"}).status_code == 409


def test_an_entry_that_does_not_fit_is_refused_at_its_lines(clerk: Api) -> None:
    entry: dict[str, Any] = {
        "currency": "CNY", "effective_at": "2026-05-01T00:00:00Z", "reason": "Gift.",
        "lines": [{"code": "5100", "amount": "5.00"}, {"code": "2000", "amount": "-4.00"}],
    }  # fmt: skip
    refused = clerk.post("/v1/journals", entry)
    assert (refused.status_code, pointers(refused)) == (400, ["#/lines/1/organisation", "#/lines"])
    for wrong in ("1.001", "1e3", "x"):
        entry["lines"][0]["amount"] = wrong
        refused = clerk.post("/v1/journals", entry)
        assert refused.status_code == 400
        assert pointers(refused)[0].startswith("#/lines"), refused.content


def test_an_entry_by_hand_is_posted_by_a_colleague_once(clerk: Api, approver: Api) -> None:
    lines = [{"code": "5100", "amount": "5.00"}, {"code": "2300", "amount": "-5.00"}]
    entry = {"currency": "CNY", "effective_at": "2026-05-01T00:00:00Z", "reason": "Gift.", "lines": lines}
    asked = ok(clerk.post("/v1/journals", entry), 201)
    path = f"/v1/journals/{asked['id']}"
    assert clerk.post(f"{path}/approve").status_code == 403
    done = ok(approver.post(f"{path}/approve", key="k"))
    assert approver.post(f"{path}/approve", key="k").json() == done
    assert approver.post(f"{path}/approve").status_code == 409
    assert (done["status"], books.balance(Code.VOUCHERS, "CNY")) == ("posted", -500)


def test_a_month_is_closed_and_reopened(clerk: Api, approver: Api) -> None:
    stray(5)
    with clock.travel(JUNE + timedelta(hours=1)):
        refused = approver.post("/v1/periods/2026-05/close")
        assert (refused.status_code, pointers(refused)) == (409, ["#/reconciled"])
        ok(clerk.post("/v1/reconciliation-runs"), 201)
        assert ok(clerk.get("/v1/periods/2026-05/checklist"))["may_close"] is True
        assert clerk.post("/v1/periods/2026-05/close").status_code == 403
        assert ok(approver.post("/v1/periods/2026-05/close"))["status"] == "closed"
        assert [row["month"] for row in ok(clerk.get("/v1/periods"))["data"]] == ["2026-05"]
        asked = ok(clerk.post("/v1/periods/2026-05/reopenings", {"reason": "A late one."}), 201)
        assert ok(approver.post(f"/v1/period-reopenings/{asked['id']}/approve"))["status"] == "approved"
        assert ok(clerk.get("/v1/periods"))["data"][0]["status"] == "open"


@pytest.mark.parametrize("month", ["2026-13", "2026-5", "0001-01", "2026-05-01", "may"])
def test_a_month_that_cannot_be_is_not_found(clerk: Api, month: str) -> None:
    assert clerk.get(f"/v1/periods/{month}/checklist").status_code == 404


def test_nobody_outside_finance_sees_any_of_it(clerk: Api) -> None:
    stray()
    row = found(clerk)
    outsider = Api.signed_in(cast.member(cast.organisation("Lanting Robotics"), "stranger", Role.BUYER_ADMIN))
    for path in ("breaks", f"breaks/{row['id']}", "journals", "periods", "clearing-accounts", "reconciliation-runs"):
        assert outsider.get(f"/v1/{path}").status_code == 403, path


def test_a_list_asks_as_much_for_twenty_rows_as_for_one(clerk: Api) -> None:
    def queries() -> dict[str, int]:
        counts = {}
        for path in ("/v1/breaks", "/v1/reconciliation-runs", "/v1/journals"):
            with CaptureQueriesContext(connection) as captured:
                ok(clerk.get(path))
            counts[path] = len(captured)
        return counts

    def fill() -> None:
        stray()
        ok(clerk.post("/v1/reconciliation-runs"), 201)
        lines = [{"code": "5100", "amount": "5.00"}, {"code": "2300", "amount": "-5.00"}]
        entry = {"currency": "CNY", "effective_at": "2026-05-01T00:00:00Z", "reason": "Gift.", "lines": lines}
        ok(clerk.post("/v1/journals", entry), 201)

    fill()
    few = queries()
    for _ in range(19):
        fill()
    assert queries() == few
