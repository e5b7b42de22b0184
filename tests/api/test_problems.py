"""Refusals are problems (RFC 9457) that name what was wrong, and a stranger learns nothing from them."""

import json
from typing import Any

import pytest

from accounts.foundation import ids
from accounts.keys.models import ApiKey
from accounts.keys.rules import Scope
from accounts.organisations.models import Organisation, User
from accounts.projects import services as projects
from tests.accounts import cast
from tests.accounts.cast import NOW
from tests.api.caller import Api, pointers


def test_nobody_is_asked_to_sign_in(db: None) -> None:
    response = Api().get("/v1/me")

    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert response.json() == {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "code": "sign_in_needed",
        "detail": "Sign in, or send an API key as Authorization: Bearer cx_live_...",
    }


@pytest.mark.parametrize(
    "header", ["Bearer nonsense", "Bearer ", "Basic eDp5", "Bearer cx_live_a_b_c", "Bearer \x00", "x" * 5000]
)
def test_a_wrong_key_is_refused_in_one_voice(db: None, header: str) -> None:
    api = Api()
    api.headers = {"Authorization": header}

    response = api.get("/v1/me")

    assert response.status_code == 401
    assert response.json()["code"] == "key_not_accepted"


def test_a_key_answers_for_its_organisation(api: Api, lab: Organisation) -> None:
    response = api.get("/v1/me")

    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert response.json()["organisation"] == ids.spell("org", lab.id)
    assert response.json()["capabilities"] == ["trade", "view_buying"]


def test_a_revoked_key_is_refused_at_the_next_request(api: Api, session: Api) -> None:
    assert api.get("/v1/me").status_code == 200
    key = ids.spell("key", ApiKey.objects.get().id)

    assert session.delete(f"/v1/api-keys/{key}").status_code == 204

    assert api.get("/v1/me").status_code == 401


def test_what_is_not_there_and_what_is_not_ones_own_look_the_same(session: Api, stranger: User) -> None:
    theirs = projects.create(
        cast.acting(stranger), cast.acting(stranger).organisation(), code="secret", name="Secret", now=NOW
    )

    bodies = [
        session.post(f"/v1/projects/{name}/archive")
        for name in (ids.spell("prj", theirs.id), ids.spell("prj", ids.new_id()), "prj_nonsense")
    ]

    assert [response.status_code for response in bodies] == [404, 404, 404]
    assert len({response.content for response in bodies}) == 1


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/", "/v1/projects/%00/archive", "/v1/me/"])
def test_an_unknown_address_is_a_problem_too(session: Api, path: str) -> None:
    response = session.get(path)

    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["put", "patch", "options", "trace"])
def test_other_methods_are_not_allowed(session: Api, method: str) -> None:
    response = getattr(session.client, method)("/v1/me", headers=session.headers)

    assert response.status_code == 405
    assert response["Content-Type"] == "application/problem+json"


def test_a_form_is_not_json(session: Api) -> None:
    response = session.client.post("/v1/projects", {"code": "a"}, headers={**session.headers, "Idempotency-Key": "k"})

    assert response.status_code == 415


def test_a_session_needs_its_csrf_token(session: Api) -> None:
    session.headers = {}

    response = session.post("/v1/projects", {"code": "night", "name": "Night"})

    assert response.status_code == 403
    assert response["Content-Type"] == "application/problem+json"


def test_an_unknown_field_is_refused_with_its_pointer(session: Api) -> None:
    response = session.post("/v1/projects", {"code": "night", "name": "Night", "organisation": "org_1"})

    assert response.status_code == 400
    assert pointers(response) == ["#/organisation"]


def test_every_wrong_field_is_named_at_once(session: Api) -> None:
    response = session.post("/v1/api-keys", {"scopes": ["read", "fly"], "expires_at": "2026-01-01T00:00:00"})

    assert response.status_code == 400
    assert sorted(pointers(response)) == ["#/expires_at", "#/name", "#/scopes/1"]
    detail = {entry["pointer"]: entry["detail"] for entry in response.json()["errors"]}
    assert "'fly' was given; expected one of read" in detail["#/scopes/1"]


@pytest.mark.parametrize("body", [[], "text", 5, None, True])
def test_a_body_that_is_no_object_is_refused(session: Api, body: object) -> None:
    response = session.post("/v1/projects", json.dumps(body).encode())

    assert response.status_code == 400


def test_a_colleague_without_the_capability_is_refused_before_anything_is_read(viewer: User) -> None:
    response = Api.signed_in(viewer).post("/v1/projects", b"{not json", key=None)

    assert response.status_code == 403
    assert response.json()["code"] == "not_allowed"


def test_a_suspended_organisation_is_refused(api: Api, session: Api, lab: Organisation, platform_admin: User) -> None:
    path = f"/v1/organisations/{ids.spell('org', lab.id)}/suspend"

    assert Api.signed_in(platform_admin).post(path).status_code == 200

    assert api.get("/v1/me").status_code == 403
    assert session.get("/v1/me").status_code == 403


def test_an_applicant_may_look_and_not_trade(db: None) -> None:
    from accounts.organisations.rules import Role

    applicant = cast.member(cast.application("New Lab"), "newcomer", Role.BUYER_ADMIN)

    capabilities = Api.signed_in(applicant).get("/v1/me").json()["capabilities"]

    assert capabilities == ["manage_members", "view_buying"]


@pytest.mark.parametrize(
    "query", [{"nonsense": "1"}, {"limit": "0"}, {"limit": "１"}, {"cursor": "x"}, {"code": "a\x00"}]
)
def test_a_wrong_parameter_is_refused_by_name(session: Api, query: dict[str, str]) -> None:
    response = session.get("/v1/projects", **query)

    assert response.status_code == 400
    assert pointers(response) == list(query)


def test_a_parameter_given_twice_is_refused(session: Api) -> None:
    response = session.client.get("/v1/projects?limit=1&limit=2", headers=session.headers)

    assert response.status_code == 400


def test_the_secret_of_a_new_key_works_and_is_shown_once(session: Api) -> None:
    wanted = {"name": "night script", "scopes": ["read"], "expires_at": _in_days(10)}

    response = session.post("/v1/api-keys", wanted)

    assert response.status_code == 201, response.content
    assert Api(response.json()["secret"]).get("/v1/me").status_code == 200
    assert response.json()["secret"] not in session.get("/v1/api-keys").content.decode()


def _in_days(days: int) -> Any:
    from datetime import timedelta

    from accounts.foundation import clock

    return (clock.now() + timedelta(days=days)).isoformat()


def test_a_key_may_not_issue_keys(lab_admin: User) -> None:
    api = Api(cast.live_key(cast.acting(lab_admin), *[Scope.READ, Scope.TRADE]))

    assert api.post("/v1/api-keys", {}).status_code == 403


def test_a_wildcard_is_no_type_of_a_body(session: Api) -> None:
    headers = {**session.headers, "Idempotency-Key": "k"}
    response = session.client.post("/v1/projects", b'{"code": "a"}', content_type="*/*", headers=headers)

    assert response.status_code == 415
