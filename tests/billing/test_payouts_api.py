"""Payouts over HTTP: the provider's side and finance's."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.foundation import clock, sealed
from accounts.organisations import members
from accounts.organisations.models import Organisation, User
from accounts.organisations.rules import Role
from billing.payouts import paying
from billing.payouts.models import PayoutDestination
from tests.accounts import cast as people
from tests.api.caller import Api, pointers
from tests.billing.payouts import cast as casts
from tests.billing.payouts.cast import DUE, MONDAY, Cast, owe, the_payout

pytestmark = pytest.mark.django_db

ACCOUNT = {
    "holder": "Huailai Compute",
    "bank_name": "Bank",
    "bank_code": "102138000012",
    "account": "6222020200112233445",
}


@pytest.fixture
def cast() -> Cast:
    return casts.make()


def caller(of: Organisation, email: str, role: Role) -> Api:
    user = User.objects.filter(email=email).first() or User.objects.create(
        email=email, display_name=email, created_at=people.NOW
    )
    members.add_member(people.SYSTEM, of.id, user.id, role, now=people.NOW)
    return Api.signed_in(user)


def finance(email: str, role: Role) -> Api:
    return caller(Organisation.objects.get(can_operate=True), email, role)


def ok(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.content
    return response.json()


def test_a_payout_over_http_from_accruing_to_paid(cast: Cast) -> None:
    owe(cast, 373_112)
    seller = caller(cast.provider, "seller@example.com", Role.PROVIDER_ADMIN)
    clerk = finance("c@example.com", Role.FINANCE_OPERATOR)
    approver = finance("a@example.com", Role.FINANCE_APPROVER)
    (row,) = ok(seller.get("/v1/payouts"))["data"]
    assert (row["status"], row["amount"]) == ("accruing", {"amount": "3731.12", "currency": "CNY"})
    path = f"/v1/payouts/{row['id']}"
    with clock.travel(MONDAY):
        paying.make_due(now=MONDAY)
        assert clerk.post(f"{path}/approve").status_code == 403
        ok(approver.post(f"{path}/approve"))
        file = ok(clerk.post("/v1/transfer-files"), 201)
        assert (file["payouts"], file["total"]["amount"]) == (1, "3731.12")
        done = ok(clerk.post(f"{path}/confirm", {"bank_reference": "B-1"}))
    assert (done["status"], done["account_ending"], done["bank_reference"]) == ("paid", "3445", "B-1")
    listed = [(item["statement_number"], item["amount"]["amount"]) for item in ok(seller.get(path))["items"]]
    assert listed == [("STM-2026-373112", "3731.12")]
    stranger = caller(people.organisation("Other", can_sell=True), "s@example.com", Role.PROVIDER_ADMIN)
    assert stranger.get(path).status_code == 404
    assert stranger.post(f"{path}/confirm", {"bank_reference": "B-1"}).status_code == 403


def test_a_provider_enters_where_its_money_goes_and_never_sees_the_number_again() -> None:
    cast = casts.make(with_account=False)
    seller = caller(cast.provider, "seller@example.com", Role.PROVIDER_ADMIN)
    agent = caller(cast.provider, "agent@example.com", Role.PROVIDER_OPERATOR)
    assert ok(seller.get("/v1/payout-destination")) == {"data": []}
    assert agent.post("/v1/payout-destination", ACCOUNT).status_code == 403
    made = seller.post("/v1/payout-destination", ACCOUNT)
    assert ok(made, 201)["account_ending"] == "3445"
    shown = agent.get("/v1/payout-destination")
    assert b"6222020200" not in made.content + shown.content
    for wrong in ("12345", "１２３４５６７８", "=1+1+1+1", "<b>622202</b>", "6" * 35, "6222\u202e0202"):
        assert pointers(seller.post("/v1/payout-destination", ACCOUNT | {"account": wrong})) == ["#/account"]
    for wrong in ("1", "10213800001", "１０２１３８００００１２", "ICBKCNB"):
        assert pointers(seller.post("/v1/payout-destination", ACCOUNT | {"bank_code": wrong})) == ["#/bank_code"]
    grouped = ACCOUNT | {"account": "gb29 nwbk-6016 1331 9268 19", "bank_code": "icbkcnbj"}
    assert seller.post("/v1/payout-destination", grouped).status_code == 201
    entered = PayoutDestination.objects.get(replaced_at__isnull=True)
    assert sealed.unseal(bytes(entered.account_sealed)) == "GB29NWBK60161331926819"
    assert entered.bank_code == "ICBKCNBJ"


def test_a_list_asks_as_much_for_many_payouts_as_for_one(cast: Cast) -> None:
    clerk = finance("c@example.com", Role.FINANCE_OPERATOR)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            ok(clerk.get("/v1/payouts"))
        return len(captured)

    owe(cast, 373_112)
    few = queries()
    for _ in range(8):
        paying.make_due_now(cast.clerk, the_payout().id, now=DUE)
        owe(cast, 373_112)
    assert queries() == few
