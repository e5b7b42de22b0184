"""The command that makes the operator of an empty exchange."""

import io
import sys
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.actors.actor import Capability
from accounts.management.commands import create_operator
from accounts.management.commands.create_operator import PASSWORD_VARIABLE
from accounts.organisations import queries
from accounts.organisations.models import LegalEntity, Membership, Organisation, User
from accounts.organisations.rules import OrganisationStatus, Role
from tests.accounts import cast
from tests.accounts.cast import PASSWORD

pytestmark = pytest.mark.django_db

ARGUMENTS = [
    "--name=Sancai Compute Exchange",
    "--legal-name=Sancai Compute Exchange Co., Ltd.",
    "--tax-id=91350100M000100Y43",
    "--address=1 Harbour Road",
    "--email=First@Example.com",
    "--display-name=Lin Wei",
]


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)


def run(*arguments: str) -> str:
    printed = StringIO()
    call_command("create_operator", *(arguments or ARGUMENTS), stdout=printed)
    return printed.getvalue()


def test_the_operator_is_active_and_its_first_member_administers_it_and_its_books() -> None:
    assert run() == "Sancai Compute Exchange operates this exchange; First@Example.com may sign in.\n"
    operator = queries.operator()
    assert operator.status == OrganisationStatus.ACTIVE
    assert LegalEntity.objects.get(organisation=operator).legal_name == "Sancai Compute Exchange Co., Ltd."
    user = User.objects.get()
    assert user.email == "first@example.com"
    roles = set(Membership.objects.filter(organisation=operator, user=user).values_list("role", flat=True))
    assert roles == {Role.PLATFORM_ADMIN, Role.FINANCE_OPERATOR, Role.FINANCE_APPROVER}
    wanted = {Capability.OPERATE, Capability.OPERATE_BOOKS, Capability.APPROVE_BOOKS, Capability.MANAGE_MEMBERS}
    assert wanted <= cast.acting(user).capabilities


def test_the_first_member_signs_in_with_the_password() -> None:
    run()
    client = Client()
    assert client.login(email="first@example.com", password=PASSWORD)


def test_there_is_one_operator() -> None:
    run()
    with pytest.raises(CommandError, match="There is an operator already"):
        run()


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("--email=nobody", "e-mail address"),
        ("--jurisdiction=china", "two capital letters"),
        ("--name=", "1 to 200 printable characters"),
        ("--display-name=a\x00b", "printable characters"),
    ],
)
def test_wrong_values_are_named_and_nothing_is_made(wrong: str, reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        run(*ARGUMENTS, wrong)
    assert not Organisation.objects.exists()
    assert not User.objects.exists()


def test_a_weak_password_makes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, "password")
    with pytest.raises(CommandError, match="password"):
        run()
    assert not User.objects.exists()


def test_without_a_password_and_a_terminal_the_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSWORD_VARIABLE)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(CommandError, match=PASSWORD_VARIABLE):
        run()


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("second", [PASSWORD, "another"])
def test_at_a_terminal_the_password_is_asked_for_twice(monkeypatch: pytest.MonkeyPatch, second: str) -> None:
    monkeypatch.delenv(PASSWORD_VARIABLE)
    monkeypatch.setattr(sys, "stdin", _Terminal())
    answers = iter([PASSWORD, second])
    monkeypatch.setattr(create_operator, "getpass", lambda _prompt: next(answers))
    if second == PASSWORD:
        assert "operates this exchange" in run()
    else:
        with pytest.raises(CommandError, match="differ"):
            run()
        assert not User.objects.exists()
