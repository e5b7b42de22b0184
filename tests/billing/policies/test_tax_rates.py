"""The tax table: rows with a result each, let in force by a second person, never two at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.actors.actor import Actor
from accounts.actors.errors import NotAllowed
from accounts.foundation import clock
from accounts.organisations.rules import Role
from billing.contracts import drafting
from billing.contracts.models import TaxRate
from billing.policies import services
from billing.policies.errors import ChangeDecided, ChangeDoesNotFit, NoSuchChange, OwnChange
from billing.policies.models import PolicyChange
from billing.policies.rules import ChangeStatus, KindName
from config.audit.policies import POLICIES
from tests.accounts import cast
from tests.api.caller import Api
from tests.billing.policies.desk import DAY, NOW, Desk, newest, said

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Iterator[Desk]:
    with clock.travel(NOW):
        yield Desk()


def test_a_rate_that_two_people_agree_on_follows_the_one_before_and_new_contracts_take_it_over(desk: Desk) -> None:
    change = desk.let_in()

    first, second = TaxRate.objects.filter(jurisdiction="CN", category="S").order_by("effective_from")
    assert (first.rate_ppm, first.effective_to) == (60_000, NOW + DAY)
    assert (second.rate_ppm, second.effective_to, second.id) == (130_000, None, change.row_id)
    assert [tax.rate_ppm for tax in drafting._tax_rates()["CN"]] == [60_000, 130_000]
    with connection.cursor() as cursor:
        assert not [one.code for one in POLICIES if one.check(cursor).violations]


def test_whoever_proposed_it_does_not_decide_and_nothing_is_decided_twice(desk: Desk) -> None:
    desk.propose()
    with pytest.raises(OwnChange):
        services.decide(desk.clerk, newest().id, is_approved=True, now=NOW)
    with pytest.raises(IntegrityError, match="takes_two_people"), transaction.atomic():
        PolicyChange.objects.filter(id=newest().id).update(
            status=ChangeStatus.DECLINED, decided_by=desk.clerk_user, decided_at=NOW
        )
    assert services.decide(desk.chief, newest().id, is_approved=False, now=NOW).status == ChangeStatus.DECLINED
    with pytest.raises(ChangeDecided):
        services.decide(desk.chief, newest().id, is_approved=True, now=NOW)
    with pytest.raises(NoSuchChange):
        services.decide(desk.chief, desk.house.id, is_approved=True, now=NOW)
    program = Actor(desk.house.id, None, None, desk.clerk.capabilities, "program")
    with pytest.raises(NotAllowed):
        services.propose(program, KindName.TAX_RATE, [], reason="x", now=NOW)
    assert TaxRate.objects.filter(jurisdiction="CN", category="S").count() == 1


WRONG = (
    ({"jurisdiction": "China"}, "jurisdiction"),
    ({"category": "X"}, "category"),
    ({"category": "Z"}, "percent"),
    ({"percent": "1e1"}, "percent"),
    ({"percent": "101"}, "percent"),
    ({"percent": "-1"}, "percent"),
    ({"effective_from": "tomorrow"}, "effective_from"),
    ({"effective_from": (NOW - DAY).isoformat()}, "effective_from"),
    ({"effective_to": NOW.isoformat()}, "effective_to"),
    ({"source": ""}, "source"),
)


def test_a_row_that_is_wrong_names_its_field_the_value_and_what_was_expected(desk: Desk) -> None:
    for changes, field in WRONG:
        result = desk.propose(**changes)
        assert (result.result, [problem.field for problem in result.problems]) == ("refused", [field]), changes
        assert " was given; expected " in result.problems[0].detail
    assert not PolicyChange.objects.exists()


def test_rows_that_would_overlap_are_refused_when_proposed_and_when_decided(desk: Desk) -> None:
    desk.let_in()
    assert desk.propose().problems[0].field == "effective_from"
    before = (NOW + DAY / 2).isoformat()
    assert desk.propose(effective_from=before).result == "refused"
    two_days, three_days = ((NOW + days * DAY).isoformat() for days in (2, 3))
    assert desk.propose(effective_from=two_days, percent="9").result == "proposed"
    assert desk.propose(effective_from=two_days, percent="9").result == "known"
    waiting = newest()
    desk.let_in(effective_from=two_days, percent="11")
    with pytest.raises(ChangeDoesNotFit, match="no other rate holds"):
        services.decide(desk.chief, waiting.id, is_approved=True, now=NOW)
    late = desk.propose(effective_from=three_days, percent="10")
    assert late.result == "proposed"
    with pytest.raises(ChangeDoesNotFit, match="from now on"):
        services.decide(desk.chief, newest().id, is_approved=True, now=NOW + 4 * DAY)
    assert desk.propose(jurisdiction="SG", effective_from=cast.NOW.isoformat()).result == "proposed"


@settings(max_examples=8)
@given(spans=st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=2, max_size=6))
def test_whatever_is_let_in_no_instant_has_two_rates(desk: Desk, spans: list[tuple[int, int]]) -> None:
    with transaction.atomic():
        for start, length in spans:
            starts = NOW + start * DAY
            ends = {"effective_to": (starts + length * DAY).isoformat()} if length else {}
            result = desk.propose(jurisdiction="SG", percent=str(start), effective_from=starts.isoformat(), **ends)
            taken = TaxRate.objects.filter(jurisdiction="SG", category="S")
            would = slow_fits(list(taken.values_list("effective_from", "effective_to")), starts, length)
            assert (result.result != "refused") == would
            if result.result == "proposed":
                services.decide(desk.chief, newest().id, is_approved=True, now=NOW)
        days = [
            sum(one.effective_from <= at and (one.effective_to is None or at < one.effective_to) for one in taken.all())
            for at in (NOW + n * DAY for n in range(1, 20))
        ]
        assert max(days) <= 1
        transaction.set_rollback(True)


def slow_fits(taken: list[tuple[datetime, datetime | None]], starts: datetime, length: int) -> bool:
    """Say day by day whether a span is free, when an open one that begins earlier ends where it starts."""
    last = NOW + 30 * DAY
    ends = starts + length * DAY if length else last
    for since, until in taken:
        until = (starts if since < starts else last) if until is None else until  # noqa: PLW2901 (cut off)
        day = starts
        while day < ends:
            if since <= day < until:
                return False
            day += DAY
    return True


def test_rows_come_over_http_as_csv_or_objects_each_with_its_result(desk: Desk) -> None:
    clerk, chief = Api.signed_in(desk.clerk_user), Api.signed_in(desk.chief_user)
    viewer = Api.signed_in(cast.member(desk.house, "viewer", Role.FINANCE_VIEWER))
    starts = (NOW + DAY).isoformat()
    text = f"jurisdiction,category,percent,effective_from,source\nSG,S,9,{starts},A law\nSG,S,x,{starts},A law\nSG,S\n"
    body = {"kind": "tax_rate", "reason": "Abroad", "content": text}
    assert viewer.post("/v1/policy-changes", body).status_code == 403
    rows = clerk.post("/v1/policy-changes", body).json()["rows"]
    assert [row["result"] for row in rows] == ["proposed", "refused", "refused"]
    assert [problem["field"] for row in rows for problem in row["problems"]] == ["percent", "row"]
    objects = [said(), said() | {"percent": 7}, {"colour": "red"}, 5]
    given = {"kind": "tax_rate", "reason": "At home", "rows": objects}
    rows = clerk.post("/v1/policy-changes", given).json()["rows"]
    assert [row["result"] for row in rows] == ["proposed", "refused", "refused", "refused"]
    assert rows[1]["problems"] == [{"field": "percent", "detail": "'7' was given; expected a text."}]
    assert clerk.post("/v1/policy-changes", {"kind": "tax_rate", "reason": "x"}).status_code == 400
    path = f"/v1/policy-changes/{rows[0]['id']}"
    assert clerk.post(f"{path}/approve").status_code == 403
    assert chief.post(f"{path}/approve").json()["status"] == "approved"
    assert chief.post(f"{path}/decline").status_code == 409
    rates = viewer.get("/v1/tax-rates", jurisdiction="CN", category="S").json()["data"]
    assert [rate["percent"] for rate in rates] == ["13", "6"]
    waiting = viewer.get("/v1/policy-changes", status="proposed").json()["data"]
    assert [change["row"]["jurisdiction"] for change in waiting] == ["SG"]


def test_two_people_change_a_rate_on_the_page(desk: Desk) -> None:
    clerk, chief = Client(), Client()
    clerk.force_login(desk.clerk_user)
    chief.force_login(desk.chief_user)
    address = reverse("policy", args=["tax-rate"])
    typed = said() | {"effective_from": "2099-06-01T00:00", "reason": "New law"}
    wrong = clerk.post(address, typed | {"percent": "1e1"})
    assert (wrong.status_code, "a decimal in a string" in wrong.content.decode()) == (422, True)
    everything = reverse("policies")
    assert clerk.post(address, typed)["Location"] == everything
    assert chief.post(address, typed).status_code == 403
    assert "Approve" not in clerk.get(everything).content.decode()
    assert "Approve" in chief.get(everything).content.decode()
    chief.post(reverse("policy_decide", args=[newest().id]), {"answer": "yes"})
    assert newest().status == ChangeStatus.APPROVED
    header = "jurisdiction,category,percent,effective_from,source"
    lines = [header, ",".join(said(jurisdiction="SG").values()), "x,1,2,3,4"]
    file = SimpleUploadedFile("t.csv", "\n".join(lines).encode())
    given = {"reason": "Abroad", "file": file}
    shown = clerk.post(reverse("policy_import", args=["tax-rate"]), given).content.decode()
    assert "a country of two capital letters" in shown
    assert newest().said["jurisdiction"] == "SG"
