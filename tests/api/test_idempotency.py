"""A POST that is repeated with its key takes effect once and is answered the same."""

from functools import partial
from typing import Any

import pytest

from accounts.idempotency.models import IdempotencyRecord
from accounts.organisations.models import Organisation, User
from accounts.projects.models import Project
from tests.api.caller import Api, pointers
from tests.races.together import together

NIGHT = {"code": "night", "name": "Night runs"}


def test_a_repeated_request_is_answered_from_the_first_one(session: Api) -> None:
    first = session.post("/v1/projects", NIGHT, key="k1")
    second = session.post("/v1/projects", NIGHT, key="k1")

    assert (first.status_code, second.status_code) == (201, 201), first.content
    assert first.content == second.content
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    assert Project.objects.filter(code="night").count() == 1


def test_another_key_is_another_request(session: Api) -> None:
    session.post("/v1/projects", NIGHT, key="k1")

    response = session.post("/v1/projects", NIGHT, key="k2")

    assert response.status_code == 409
    assert response.json()["code"] == "project_code_taken"


def test_a_refusal_is_kept_too(session: Api) -> None:
    session.post("/v1/projects", NIGHT, key="k1")
    refused = session.post("/v1/projects", NIGHT, key="k2")
    Project.objects.filter(code="night").delete()

    again = session.post("/v1/projects", NIGHT, key="k2")

    assert again.content == refused.content
    assert again["Content-Type"] == "application/problem+json"
    assert not Project.objects.filter(code="night").exists()


def test_a_malformed_request_may_be_put_right_under_the_same_key(session: Api) -> None:
    assert session.post("/v1/projects", {"code": "night"}, key="k1").status_code == 400

    assert session.post("/v1/projects", NIGHT, key="k1").status_code == 201


def test_the_key_of_another_request_is_refused(session: Api) -> None:
    session.post("/v1/projects", NIGHT, key="k1")

    response = session.post("/v1/projects", {**NIGHT, "name": "Day"}, key="k1")

    assert response.status_code == 422
    assert response.json()["code"] == "idempotency_key_reused"


@pytest.mark.parametrize("key", [None, "a b", "ключ", "k" * 256])
def test_without_a_proper_key_nothing_happens(session: Api, key: str | None) -> None:
    response = session.post("/v1/projects", NIGHT, key=key)

    assert response.status_code == 400
    assert pointers(response) == ["Idempotency-Key"]
    assert not Project.objects.filter(code="night").exists()


def test_keys_of_different_organisations_do_not_meet(session: Api, stranger: User) -> None:
    session.post("/v1/projects", NIGHT, key="k1")

    response = Api.signed_in(stranger).post("/v1/projects", {**NIGHT, "name": "Theirs"}, key="k1")

    assert response.status_code == 201
    assert response.json()["name"] == "Theirs"


def test_a_colleague_without_the_right_is_not_shown_the_answer(session: Api, viewer: User) -> None:
    session.post("/v1/projects", NIGHT, key="k1")

    assert Api.signed_in(viewer).post("/v1/projects", NIGHT, key="k1").status_code == 403


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_takes_effect_and_the_others_wait_or_replay(lab: Organisation, lab_admin: User) -> None:
    callers = [Api.signed_in(lab_admin) for _ in range(6)]
    calls = [partial(api.post, "/v1/projects", NIGHT, key="race") for api in callers]
    answers: list[Any] = together(calls, in_transaction=False)

    statuses = sorted(answer.status_code for answer in answers)
    assert set(statuses) <= {201, 409}
    assert 201 in statuses
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"request_in_flight"}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert Project.objects.filter(code="night").count() == 1
    assert IdempotencyRecord.objects.count() == 1
