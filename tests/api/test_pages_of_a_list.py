"""Lists come in pages by keyset: nothing is skipped or repeated, also while rows are added."""

from datetime import timedelta
from typing import Any

from accounts.organisations.models import Organisation, User
from accounts.projects import services as projects
from tests.accounts import cast
from tests.accounts.cast import NOW
from tests.api.caller import Api


def _make(owner: Organisation, count: int, *, start: int = 0) -> None:
    for number in range(start, start + count):
        projects.create(cast.SYSTEM, owner.id, code=f"p{number}", name="P", now=NOW + timedelta(seconds=number))


def test_pages_join_to_the_whole_newest_first(session: Api, lab: Organisation) -> None:
    _make(lab, 6)

    first = session.get("/v1/projects", limit="3")
    _make(lab, 2, start=100)  # rows that come in between belong before the first page
    second = session.client.get(first["Link"].split(">")[0].lstrip("<"), headers=session.headers)
    third = session.get("/v1/projects", limit="3", cursor=second.json()["next_cursor"])

    codes = [row["code"] for page in (first, second, third) for row in page.json()["data"]]
    assert codes == ["p5", "p4", "p3", "p2", "p1", "p0", "default"]
    assert [page.json()["has_more"] for page in (first, second, third)] == [True, True, False]
    assert third.json()["next_cursor"] is None
    assert "Link" not in third


def test_a_cursor_keeps_the_filters_of_its_list(session: Api, lab: Organisation) -> None:
    _make(lab, 3)

    assert [row["code"] for row in session.get("/v1/projects", code="p1").json()["data"]] == ["p1"]


def test_a_page_costs_the_same_for_one_row_and_for_twenty(
    session: Api, lab: Organisation, django_assert_num_queries: Any
) -> None:
    session.get("/v1/members")
    with django_assert_num_queries(4) as one:
        session.get("/v1/members")
    from accounts.organisations.rules import Role

    for number in range(19):
        cast.member(lab, f"colleague{number}", Role.BUYER_VIEWER)
    with django_assert_num_queries(len(one)):
        assert len(session.get("/v1/members").json()["data"]) == 20


def test_a_list_holds_nothing_of_strangers(session: Api, lab: Organisation, stranger: User) -> None:
    projects.create(cast.SYSTEM, cast.acting(stranger).organisation(), code="canary", name="Canary", now=NOW)

    for path in ("projects", "members", "events", "audit-records", "api-keys"):
        assert "canary" not in session.get(f"/v1/{path}", limit="100").content.decode().lower()
        assert "stranger" not in session.get(f"/v1/{path}", limit="100").content.decode().lower()
