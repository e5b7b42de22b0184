"""The command with which an organisation applies."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.invitations.models import Invitation
from accounts.organisations.models import LegalEntity, Membership, Organisation
from accounts.organisations.rules import OrganisationStatus, Role
from tests.accounts.cast import PASSWORD

pytestmark = pytest.mark.django_db

ARGUMENTS = [
    "--name=Beichen AI Lab",
    "--tax-id=91350100M000100Y43",
    "--address=2 Harbour Road",
    "--kind=lab",
    "--email=first@beichen.example",
]


def run(*arguments: str) -> list[str]:
    printed = StringIO()
    call_command("register_organisation", *ARGUMENTS, *arguments, stdout=printed)
    return printed.getvalue().splitlines()


def test_an_applicant_waits_for_the_operator_with_its_legal_entity_on_record() -> None:
    told, _link = run("--buys")
    assert told == "Beichen AI Lab has applied. first@beichen.example comes in within seven days at:"
    organisation = Organisation.objects.get()
    assert organisation.status == OrganisationStatus.APPLIED
    assert (organisation.can_buy, organisation.can_sell, organisation.can_operate) == (True, False, False)
    assert LegalEntity.objects.get(organisation=organisation).legal_name == "Beichen AI Lab"


def test_the_link_lets_the_first_administrator_in() -> None:
    _told, link = run("--buys")
    came_in = Client().post(link, {"display_name": "Zhou Ming", "password": PASSWORD})
    assert came_in.status_code == 302
    assert Membership.objects.get().role == Role.BUYER_ADMIN


def test_who_buys_and_sells_gets_a_link_for_each_side() -> None:
    _told, *links = run("--buys", "--sells")
    assert len(set(links)) == 2
    assert set(Invitation.objects.values_list("role", flat=True)) == {Role.BUYER_ADMIN, Role.PROVIDER_ADMIN}


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ((), "--buys, --sells or both"),
        (("--buys", "--email=nobody"), "e-mail address"),
        (("--buys", "--kind=operator"), "invalid choice"),
        (("--buys", "--name="), "1 to 200 printable characters"),
    ],
)
def test_wrong_values_are_named_and_nothing_is_made(wrong: tuple[str, ...], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        run(*wrong)
    assert not Organisation.objects.exists()
