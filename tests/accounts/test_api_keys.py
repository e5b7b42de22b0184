"""API keys: shape, issue, use and end."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.actors import services as actors
from accounts.actors.actor import Capability
from accounts.actors.errors import NotAllowed, OrganisationNotActive
from accounts.audit.models import AuditRecord
from accounts.foundation.errors import Invalid, NotFound
from accounts.keys import rules, services
from accounts.keys.errors import KeyNotAccepted, ScopeTooWide
from accounts.keys.models import ApiKey
from accounts.keys.rules import Scope
from accounts.organisations import services as organisations
from accounts.organisations.models import User
from tests.accounts import cast
from tests.accounts.cast import NOW


@given(secret=st.integers(min_value=0, max_value=2**256 - 1), digit=st.integers(min_value=0, max_value=11))
def test_a_composed_key_is_read_back_and_any_changed_character_is_noticed(secret: int, digit: int) -> None:
    public_id = "0123456789Ab"
    key = rules.compose(public_id, secret)

    assert rules.read(key.text) == key
    position = len("cx_live_") + digit
    other = "z" if key.text[position] != "z" else "y"
    assert rules.read(key.text[:position] + other + key.text[position + 1 :]) is None


@given(st.text())
def test_text_that_is_no_key_is_never_read_as_one(text: str) -> None:
    assert rules.read(text) is None


def test_only_the_digest_of_a_key_is_stored(lab_admin: User) -> None:
    text = cast.key(cast.acting(lab_admin), Scope.READ)

    stored = ApiKey.objects.get()
    secret = text.split("_")[3]
    assert bytes(stored.secret_sha256) == rules.KeyText(stored.public_id, text).digest
    assert secret not in str(ApiKey.objects.values().get())
    assert not AuditRecord.objects.filter(text__contains=secret).exists()


def test_a_key_acts_for_its_organisation_within_its_scopes(lab_admin: User) -> None:
    text = cast.key(cast.acting(lab_admin), Scope.TRADE)

    actor = actors.for_key(services.identify(text, now=NOW))

    assert actor.organisation_id == cast.acting(lab_admin).organisation_id
    assert actor.capabilities == {Capability.VIEW_BUYING, Capability.TRADE}


def test_a_key_of_a_buyer_sees_no_selling(lab_admin: User) -> None:
    text = cast.key(cast.acting(lab_admin), Scope.READ)

    assert actors.for_key(services.identify(text, now=NOW)).capabilities == {Capability.VIEW_BUYING}


@pytest.mark.parametrize("scope", [Scope.DELIVER, Scope.LIST, Scope.METER])
def test_a_buyer_cannot_issue_a_providers_scope(lab_admin: User, scope: Scope) -> None:
    with pytest.raises(ScopeTooWide):
        cast.key(cast.acting(lab_admin), scope)


def test_issuing_needs_the_capability(viewer: User) -> None:
    with pytest.raises(NotAllowed):
        cast.key(cast.acting(viewer), Scope.READ)


@pytest.mark.parametrize("life", [timedelta(0), timedelta(days=-1), timedelta(days=365, seconds=1)])
def test_a_key_expires_within_a_year(lab_admin: User, life: timedelta) -> None:
    with pytest.raises(Invalid) as refusal:
        services.issue(cast.acting(lab_admin), name="x", scopes=[Scope.READ], expires_at=NOW + life, now=NOW)
    assert refusal.value.problems[0].pointer == "/expires_at"


def test_a_key_without_scopes_is_refused(lab_admin: User) -> None:
    with pytest.raises(Invalid):
        services.issue(cast.acting(lab_admin), name="x", scopes=[], expires_at=NOW + timedelta(days=1), now=NOW)


def test_a_revoked_key_is_refused_at_once_and_revoking_again_is_no_error(lab_admin: User) -> None:
    actor = cast.acting(lab_admin)
    text = cast.key(actor, Scope.READ)
    key = ApiKey.objects.get()

    services.revoke(actor, key.id, now=NOW)
    services.revoke(actor, key.id, now=NOW + timedelta(days=1))

    with pytest.raises(KeyNotAccepted):
        services.identify(text, now=NOW)
    assert ApiKey.objects.get().revoked_at == NOW


def test_an_expired_key_is_refused(lab_admin: User) -> None:
    text = cast.key(cast.acting(lab_admin), Scope.READ)
    end = NOW + timedelta(days=30)

    assert services.identify(text, now=end - timedelta(microseconds=1)).expires_at == end
    with pytest.raises(KeyNotAccepted):
        services.identify(text, now=end)


def _other_secret(text: str) -> str:
    return rules.compose(text.split("_")[2], 1).text


def _other_key(text: str) -> str:
    return rules.compose("000000000000", 1).text


@pytest.mark.parametrize("forge", [_other_secret, _other_key, str.upper, lambda text: text[:-1]])
def test_a_key_that_was_not_issued_is_refused(lab_admin: User, forge: Callable[[str], str]) -> None:
    text = cast.key(cast.acting(lab_admin), Scope.READ)

    with pytest.raises(KeyNotAccepted):
        services.identify(forge(text), now=NOW)


def test_the_use_of_a_key_is_noted_once_a_minute(lab_admin: User, django_assert_num_queries: Any) -> None:
    text = cast.key(cast.acting(lab_admin), Scope.READ)

    services.identify(text, now=NOW)
    assert ApiKey.objects.get().last_used_at == NOW
    with django_assert_num_queries(1):
        services.identify(text, now=NOW + timedelta(seconds=59))
    services.identify(text, now=NOW + timedelta(seconds=60))
    assert ApiKey.objects.get().last_used_at == NOW + timedelta(seconds=60)


def test_keys_of_a_suspended_organisation_are_refused(lab_admin: User, platform_admin: User) -> None:
    actor = cast.acting(lab_admin)
    text = cast.key(actor, Scope.READ)

    organisations.suspend(cast.acting(platform_admin), actor.organisation(), now=NOW)

    with pytest.raises(OrganisationNotActive):
        actors.for_key(services.identify(text, now=NOW))


def test_a_stranger_cannot_revoke_a_key_and_learns_nothing(lab_admin: User, stranger: User) -> None:
    cast.key(cast.acting(lab_admin), Scope.READ)

    with pytest.raises(NotFound):
        services.revoke(cast.acting(stranger), ApiKey.objects.get().id, now=NOW)
    assert ApiKey.objects.get().revoked_at is None
