"""`manage.py create_operator`: the organisation that runs the exchange, and the first person who may sign in."""

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from getpass import getpass
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.actors.actor import Actor
from accounts.foundation import clock, strict
from accounts.foundation.errors import DomainError
from accounts.organisations import members
from accounts.organisations import services as organisations
from accounts.organisations.models import Organisation
from accounts.organisations.rules import OrganisationKind, Role
from accounts.organisations.services import Application, LegalDetails

PASSWORD_VARIABLE: Final = "EXCHANGE_OPERATOR_PASSWORD"  # noqa: S105 (the name of a variable)
# Beside the platform's administrator, so that the first person can confirm transfers and look at the books.
DESKS: Final = (Role.FINANCE_OPERATOR, Role.FINANCE_APPROVER)

_SYSTEM: Final = Actor.system("create_operator")


class Command(BaseCommand):
    """Make both or neither; there is one operator, so a second call is refused."""

    help = (
        "Make the organisation that operates the exchange, and its first member: platform administrator and finance."
        f" The password is taken from {PASSWORD_VARIABLE}, or asked for."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare who operates, in law, and who signs in."""
        add_legal_arguments(parser)
        parser.add_argument("--email", required=True, type=text(254), help="with which the first member signs in")
        parser.add_argument("--display-name", required=True, type=text(120), help="of the first member")

    def handle(self, *_args: object, **options: Any) -> None:
        """Make the organisation and the member; exit 1 with the reason when something is refused."""
        if Organisation.objects.filter(can_operate=True).exists():
            raise CommandError("There is an operator already; its administrators invite further members.")
        password = os.environ.get(PASSWORD_VARIABLE) or _asked()
        try:
            operator = _create(options, password)
        except DomainError as refusal:
            raise CommandError(refusal.detail) from refusal
        self.stdout.write(f"{operator.name} operates this exchange; {options['email']} may sign in.")


@transaction.atomic
def _create(options: dict[str, Any], password: str) -> Organisation:
    now = clock.now()
    user = members.create_user(
        _SYSTEM, email=options["email"], display_name=options["display_name"], password=password, now=now
    )
    application = Application(
        name=options["name"],
        kind=OrganisationKind.OPERATOR,
        legal=legal_details(options),
        can_operate=True,
        country=options["jurisdiction"],
    )
    operator = organisations.register(_SYSTEM, application, administrator=user, now=now)
    organisations.admit(_SYSTEM, operator.id, now=now)
    for role in DESKS:
        members.add_member(_SYSTEM, operator.id, user.id, role, now=now)
    return operator


def _asked() -> str:
    if not sys.stdin.isatty():
        raise CommandError(f"There is nobody to ask for a password; set {PASSWORD_VARIABLE}.")
    password = getpass("Password: ")
    if password != getpass("Password again: "):
        raise CommandError("The two passwords differ.")
    return password


def add_legal_arguments(parser: ArgumentParser) -> None:
    """Declare an organisation's name and what it is in law."""
    parser.add_argument("--name", required=True, type=text(200), help="name of the organisation")
    parser.add_argument("--legal-name", type=text(200), help="name in law, on invoices (default: the name)")
    parser.add_argument("--tax-id", required=True, type=text(40), help="tax number, on invoices")
    parser.add_argument("--address", required=True, type=text(400), help="registered address, on invoices")
    parser.add_argument(
        "--jurisdiction", default="CN", type=_country, help="country whose taxes apply (default: %(default)s)"
    )


def legal_details(options: dict[str, Any]) -> LegalDetails:
    """Return what the declared arguments say of an organisation in law."""
    return LegalDetails(
        legal_name=options["legal_name"] or options["name"],
        tax_id=options["tax_id"],
        jurisdiction=options["jurisdiction"],
        address=options["address"],
        vat_registered=True,
    )


def text(longest: int) -> Callable[[str], str]:
    """Return a reader of printable text of at most so many characters."""

    def read(text: str) -> str:
        try:
            return strict.text(text, max_length=longest)
        except strict.Mismatch as error:
            raise ArgumentTypeError(str(error)) from error

    return read


def _country(text: str) -> str:
    if not (len(text) == 2 and text.isascii() and text.isalpha() and text.isupper()):
        raise ArgumentTypeError(f"{text!r} is not a country; expected two capital letters such as CN")
    return text
