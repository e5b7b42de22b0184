"""Configuration that is wrong stops the process with a sentence."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from config import databases, env


@pytest.mark.parametrize(("written", "meant"), [("1", True), ("Yes", True), ("off", False), ("FALSE", False)])
def test_a_truth_is_read_as_people_write_it(monkeypatch: pytest.MonkeyPatch, written: str, meant: bool) -> None:
    monkeypatch.setenv("SWITCH", written)
    assert env.boolean("SWITCH", default=not meant) is meant


def test_a_truth_that_is_none_names_the_variable_and_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCH", "maybe")
    with pytest.raises(ImproperlyConfigured, match="SWITCH is 'maybe'"):
        env.boolean("SWITCH", default=True)


@pytest.mark.parametrize("written", ["0", "65", "1e1", "1_0", "１２", "-3", "12 x"])
def test_a_number_outside_its_bounds_or_shape_is_refused(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("COUNT", written)
    with pytest.raises(ImproperlyConfigured, match="a whole number from 1 to 64"):
        env.integer("COUNT", default=2, minimum=1, maximum=64)


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAME", "  ")
    assert env.text("NAME", default="given") == "given"
    with pytest.raises(ImproperlyConfigured, match="NAME is not set"):
        env.required("NAME")


@pytest.mark.parametrize("url", ["mysql://a@b/c", "postgres://a@b", "postgres://a@b:port/c", "nonsense"])
def test_an_address_that_is_no_database_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        env.database_address("DATABASE_URL", url.replace("a@", "a:hush@"))
    assert "DATABASE_URL" in str(refusal.value)
    assert "hush" not in str(refusal.value)


@given(password=st.text(st.characters(codec="ascii", exclude_characters="\x00"), min_size=1))
def test_a_password_may_hold_any_character_when_it_is_quoted(password: str) -> None:
    from urllib.parse import quote

    address = env.database_address("URL", f"postgres://user:{quote(password, safe='')}@host:5432/name?sslmode=require")
    assert (address.password, address.port, address.options) == (password, "5432", {"sslmode": "require"})


def test_one_address_is_the_owners_and_the_application_assumes_its_role(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://owner@host/name")
    monkeypatch.delenv("DATABASE_OWNER_URL", raising=False)
    application = databases.from_environment(production=True)["default"]
    owner = databases.owner_from_environment()
    assert owner is not None
    assert owner.assumed
    assert "role=exchange_app" in application["OPTIONS"]["options"]
    assert "role=" not in owner.connection["OPTIONS"]["options"]


def test_two_addresses_are_two_roles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://worker@host/name")
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgres://owner@host/name")
    application = databases.from_environment(production=True)["default"]
    owner = databases.owner_from_environment()
    assert owner is not None
    assert (application["USER"], owner.connection["USER"]) == ("worker", "owner")
    assert (owner.application_role, owner.assumed) == ("worker", False)
    assert "role=" not in application["OPTIONS"]["options"]


def test_production_does_not_start_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        databases.from_environment(production=True)
    assert databases.from_environment(production=False)["default"]["ENGINE"].endswith("dummy")
