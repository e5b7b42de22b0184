"""Rules that hold until the next row begins: limits, hours, bounds; each changed by two people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.foundation import clock, ids
from accounts.organisations.rules import Role
from billing.bounds import queries as bounds
from billing.cards import queries as cards
from billing.landings import queries as landings
from billing.payouts import queries as payouts
from billing.policies import services
from billing.policies.models import PolicyChange
from billing.policies.rules import KindName
from billing.reconciliation.models import ClosingPolicy
from config.audit.policies import POLICIES
from tests.accounts import cast
from tests.api.caller import Api
from tests.billing.policies.desk import DAY, NOW, Desk, newest

pytestmark = pytest.mark.django_db
TOMORROW = (NOW + DAY).isoformat()
ROWS: dict[KindName, dict[str, str]] = {
    KindName.REFUND_LIMIT: {"currency": "CNY", "alone_up_to": "12.50"},
    KindName.PAYOUT_TERMS: {
        "currency": "CNY",
        "frequency": "monthly",
        "minimum": "5.00",
        "reserve_percent": "2.5",
        "reserve_days": "9",
        "two_people_above": "700.00",
    },
    KindName.LANDING_HOURS: {"grace_hours": "5", "notice_hours": "7"},
    KindName.CLOSING_THRESHOLD: {"currency": "CNY", "threshold": "3.00"},
    KindName.BILL_BOUND: {
        "currency": "CNY",
        "line_amount": "10.00",
        "document_total": "20.00",
        "lines_per_day": "30",
        "usual_multiple": "4",
        "trailing_days": "60",
        "usual_from": "5.00",
        "two_people_above": "6.00",
    },
}


@pytest.fixture
def desk() -> Iterator[Desk]:
    with clock.travel(NOW):
        yield Desk()


def test_each_table_takes_rows_that_two_people_agree_on_and_they_hold_from_their_day(desk: Desk) -> None:
    provider = cast.organisation("Huailai Compute", can_sell=True)
    for kind, row in ROWS.items():
        assert desk.propose_row(kind, row | {"effective_from": TOMORROW}).result == "proposed", kind
        services.decide(desk.chief, newest().id, is_approved=True, now=NOW)
        again = desk.propose_row(kind, row | {"effective_from": TOMORROW})
        assert [problem.field for problem in again.problems] == ["effective_from"], kind
    own = ROWS[KindName.PAYOUT_TERMS] | {"organisation": ids.spell("org", provider.id), "reserve_percent": "0"}
    assert desk.propose_row(KindName.PAYOUT_TERMS, own | {"effective_from": TOMORROW}).result == "proposed"
    services.decide(desk.chief, newest().id, is_approved=True, now=NOW)

    later = NOW + DAY
    assert cards.refund_alone_up_to_minor("CNY", now=later) == 12_50
    assert cards.refund_alone_up_to_minor("CNY", now=NOW) != 12_50
    terms = payouts.policy(desk.house.id, "CNY", now=later)
    assert (terms.frequency, terms.minimum_minor, terms.reserve_ppm, terms.reserve_days) == ("monthly", 5_00, 25_000, 9)
    assert payouts.policy(provider.id, "CNY", now=later).reserve_ppm == 0
    hours = landings.policy_at(later)
    assert (hours.grace_hours, hours.notice_hours) == (5, 7)
    assert (
        ClosingPolicy.objects.filter(effective_from__lte=later).order_by("-effective_from")[0].threshold_minor == 3_00
    )
    limits = bounds.limits([desk.house.id], now=later)(desk.house.id, "CNY")
    assert (limits.line_minor, limits.total_minor, limits.usual_multiple, limits.trailing_days) == (10_00, 20_00, 4, 60)
    with connection.cursor() as cursor:
        assert not [one.code for one in POLICIES if one.check(cursor).violations]


WRONG: tuple[tuple[KindName, dict[str, Any], list[str]], ...] = (
    (KindName.REFUND_LIMIT, {"currency": "XXX"}, ["currency"]),
    (KindName.REFUND_LIMIT, {"alone_up_to": "-1"}, ["alone_up_to"]),
    (KindName.REFUND_LIMIT, {"alone_up_to": "1e3", "effective_from": "soon"}, ["alone_up_to", "effective_from"]),
    (KindName.PAYOUT_TERMS, {"frequency": "daily", "minimum": "0.00"}, ["frequency", "minimum"]),
    (KindName.PAYOUT_TERMS, {"reserve_percent": "101", "reserve_days": "1.5"}, ["reserve_percent", "reserve_days"]),
    (KindName.PAYOUT_TERMS, {"organisation": "nobody"}, ["organisation"]),
    (KindName.PAYOUT_TERMS, {"organisation": ids.spell("org", ids.new_id())}, ["organisation"]),
    (KindName.LANDING_HOURS, {"grace_hours": "-1", "notice_hours": "9999999"}, ["grace_hours", "notice_hours"]),
    (KindName.CLOSING_THRESHOLD, {"effective_from": (NOW - DAY).isoformat()}, ["effective_from"]),
    (KindName.BILL_BOUND, {"line_amount": "0.00", "trailing_days": "0"}, ["line_amount", "trailing_days"]),
)


def test_a_row_that_is_wrong_names_its_fields(desk: Desk) -> None:
    for kind, changes, fields in WRONG:
        result = desk.propose_row(kind, ROWS[kind] | {"effective_from": TOMORROW} | changes)
        assert (result.result, [problem.field for problem in result.problems]) == ("refused", fields), (kind, changes)
        assert all(" was given; expected " in problem.detail for problem in result.problems)
    assert not PolicyChange.objects.exists()


def test_finance_sees_every_table_and_changes_each_on_its_page(desk: Desk) -> None:
    viewer = Api.signed_in(cast.member(desk.house, "viewer", Role.FINANCE_VIEWER))
    tables = viewer.get("/v1/policies").json()["tables"]
    assert [table["kind"] for table in tables] == list(KindName)
    assert all(set(row) == set(table["columns"]) for table in tables for row in table["rows"])
    assert all(table["rows"] for table in tables)
    buyer = Api.signed_in(cast.member(cast.organisation("Beichen AI Lab"), "buyer", Role.BUYER_ADMIN))
    assert buyer.get("/v1/policies").status_code == 403
    clerk = Client()
    clerk.force_login(desk.clerk_user)
    for kind, row in ROWS.items():
        address = reverse("policy", args=[kind.replace("_", "-")])
        typed = row | {"effective_from": "2099-06-01T00:00", "reason": "Times have changed"}
        wrong = clerk.post(address, typed | {"effective_from": "2026-01-01T00:00"})
        assert (wrong.status_code, "a time from now on" in wrong.content.decode()) == (422, True)
        assert clerk.post(address, typed)["Location"] == reverse("policies")
        assert newest().kind == kind
    assert clerk.get(reverse("policy", args=["no-such-table"])).status_code == 404
    shown = clerk.get(reverse("policies")).content.decode()
    assert "Times have changed" in shown
    assert "1,000.00 CNY" in shown  # what a clerk sends back alone, from the first on
    assert "You proposed it; a colleague has to approve it." in shown
