"""Signing in and out on the pages, choosing an organisation, and the brake on guessing."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client

from accounts.organisations import members
from accounts.organisations import services as organisations
from accounts.organisations.errors import EmailTaken, PasswordTooWeak
from accounts.organisations.models import Organisation, User
from accounts.organisations.rules import Role
from accounts.signin import services
from accounts.signin.errors import SignInRefused, TooManySignIns
from accounts.signin.models import SignInWindow
from tests.accounts import cast
from tests.accounts.cast import NOW, PASSWORD
from tests.races.together import together


def _post(client: Client, email: str, password: str, **more: str) -> Any:
    return client.post("/sign-in", {"email": email, "password": password, **more})


def test_the_right_password_lets_in_and_the_session_gets_a_new_name(lab_admin: User, client: Client) -> None:
    client.get("/sign-in")
    client.session.save()
    before = client.session.session_key

    response = _post(client, "PRINCIPAL@example.com ", PASSWORD)

    assert (response.status_code, response["Location"]) == (302, "/")
    assert client.session.session_key != before
    assert client.get("/v1/me").status_code == 200


def test_an_unknown_address_and_a_wrong_password_are_told_in_the_same_words(lab_admin: User, client: Client) -> None:
    wrong = _post(client, "principal@example.com", "not the password at all")
    unknown = _post(client, "principal@example.org", "not the password at all")

    def words(response: Any) -> str:
        return str(response.context["form"].non_field_errors())

    assert words(wrong) == words(unknown)
    assert wrong.status_code == unknown.status_code


def test_a_closed_account_is_refused_like_a_wrong_password(lab_admin: User) -> None:
    User.objects.update(is_active=False)

    with pytest.raises(SignInRefused):
        _check()


def _check(password: str = PASSWORD, *, minutes: int = 0, address: str = "192.0.2.1") -> User:
    return services.check_password(
        email="principal@example.com", password=password, address=address, now=NOW + timedelta(minutes=minutes)
    )


def test_guessing_is_braked_even_for_the_right_password_and_ends_with_the_window(
    lab_admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "TRIES_PER_PERSON", 3)
    for _ in range(3):
        with pytest.raises(SignInRefused):
            _check("wrong wrong wrong")

    with pytest.raises(TooManySignIns) as refusal:
        _check()
    assert 0 < refusal.value.retry_after_seconds <= 15 * 60
    assert _check(minutes=15) == lab_admin


def test_signing_in_forgets_the_tries_before(lab_admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "TRIES_PER_PERSON", 2)
    for _ in range(2):
        with pytest.raises(SignInRefused):
            _check("wrong wrong wrong")
        assert _check() == lab_admin


def test_one_network_address_cannot_try_many_people(lab_admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "TRIES_PER_ADDRESS", 3)
    for number in range(3):
        with pytest.raises(SignInRefused):
            services.check_password(email=f"x{number}@example.com", password="x", address="192.0.2.9", now=NOW)

    with pytest.raises(TooManySignIns):
        _check(address="192.0.2.9")
    assert _check(address="192.0.2.10") == lab_admin


@pytest.mark.django_db(transaction=True)
def test_tries_at_the_same_moment_are_all_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    cast.user("principal")
    monkeypatch.setattr(services, "TRIES_PER_PERSON", 3)
    outcomes = together([partial(_check, "wrong wrong wrong")] * 8, in_transaction=False)
    assert sorted(type(one).__name__ for one in outcomes) == ["SignInRefused"] * 3 + ["TooManySignIns"] * 5


def test_neither_addresses_nor_people_are_kept_readable_by_the_brake(lab_admin: User) -> None:
    _check()
    with pytest.raises(SignInRefused):
        _check("wrong wrong wrong")

    assert all(len(bytes(window.subject_sha256)) == 32 for window in SignInWindow.objects.all())


def test_passwords_are_kept_as_argon2id(lab_admin: User) -> None:
    assert lab_admin.password.startswith("argon2$argon2id$")


@pytest.mark.parametrize("password", ["short1!", "password1234", "principal@example.com"])
def test_weak_passwords_are_refused_without_being_quoted(db: None, password: str) -> None:
    with pytest.raises(PasswordTooWeak) as refusal:
        members.create_user(cast.SYSTEM, email="principal@example.com", display_name="P", password=password, now=NOW)
    assert password not in refusal.value.detail
    assert refusal.value.problems[0].pointer == "/password"


def test_an_address_belongs_to_one_person_whatever_its_case(lab_admin: User) -> None:
    with pytest.raises(EmailTaken):
        members.create_user(cast.SYSTEM, email="Principal@Example.COM", display_name="P", password=PASSWORD, now=NOW)


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "javascript:alert(1)",
        "/\\evil.example",
        "",
        "NaN",  # neither an address from the root nor the name of a page
        "/\x00",
        "/a\r\nSet-Cookie: x=1",
    ],
)
def test_after_signing_in_nobody_is_led_off_the_site(lab_admin: User, client: Client, wanted: str) -> None:
    assert _post(client, "principal@example.com", PASSWORD, next=wanted)["Location"] == "/"


def test_what_somebody_is_shown_is_kept_in_no_cache(lab_admin: User, client: Client) -> None:
    _post(client, "principal@example.com", PASSWORD)

    assert "no-store" in client.get("/")["Cache-Control"]


def test_after_signing_in_one_comes_back_to_the_page_wanted(lab_admin: User, client: Client) -> None:
    asked = client.get("/members?x=1")

    assert asked["Location"] == "/sign-in?next=%2Fmembers%3Fx%3D1"
    assert _post(client, "principal@example.com", PASSWORD, next="/members?x=1")["Location"] == "/members?x=1"


def test_signing_out_ends_the_session_on_the_server(lab_admin: User, client: Client) -> None:
    client.force_login(lab_admin)
    cookie = client.cookies["sessionid"].value

    assert client.get("/sign-out").status_code == 405
    client.post("/sign-out")

    client.cookies["sessionid"] = cookie
    assert client.get("/v1/me").status_code == 401


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/choose-organisation", "/members", "/api-keys"])
def test_every_form_needs_its_token(lab_admin: User, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(lab_admin)

    response = client.post(path, {})

    assert response.status_code == 403
    assert "form has expired" in response.content.decode()


def test_somebody_of_two_organisations_chooses_and_a_strangers_cannot_be_chosen(
    lab: Organisation, lab_admin: User, stranger: User, client: Client
) -> None:
    second = cast.organisation("Second Lab")
    members.add_member(cast.SYSTEM, second.id, lab_admin.id, Role.BUYER_VIEWER, now=NOW)
    client.force_login(lab_admin)

    assert client.get("/members")["Location"].startswith("/choose-organisation?next=")
    foreign = cast.acting(stranger).organisation()
    assert client.post("/choose-organisation", {"organisation": str(foreign)}).status_code == 200
    assert client.get("/v1/me").status_code == 403

    chosen = client.post("/choose-organisation", {"organisation": str(second.id), "next": "/api-keys"})
    assert chosen["Location"] == "/api-keys"
    assert client.get("/v1/me").json()["capabilities"] == ["view_buying"]


def test_a_suspended_organisation_cannot_be_chosen(lab: Organisation, lab_admin: User, client: Client) -> None:
    organisations.suspend(cast.SYSTEM, lab.id, now=NOW)
    client.force_login(lab_admin)

    response = client.post("/choose-organisation", {"organisation": str(lab.id)})

    assert "suspended" in response.content.decode()
    assert client.get("/v1/me").status_code == 403
