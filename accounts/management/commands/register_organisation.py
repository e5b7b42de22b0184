"""`manage.py register_organisation`: an organisation that applies, and the invitation of its first member."""

from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.urls import reverse

from accounts.actors.actor import Actor, Capability
from accounts.foundation import clock
from accounts.foundation.errors import DomainError
from accounts.invitations import services as invitations
from accounts.management.commands.create_operator import add_legal_arguments, legal_details, text
from accounts.organisations import services as organisations
from accounts.organisations.rules import OrganisationKind, Role
from accounts.organisations.services import Application

_LABEL: Final = "register_organisation"
_KINDS: Final = tuple(kind.value for kind in OrganisationKind if kind is not OrganisationKind.OPERATOR)


class Command(BaseCommand):
    """Make both or neither. The operator admits the organisation; until then its members cannot act."""

    help = (
        "Take in the application of an organisation that wants to buy, sell or both, and print the link with which its"
        " first member comes in as administrator, one for each side. The operator admits it on the page Organisations."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare who applies, in law, for what, and who comes in first."""
        add_legal_arguments(parser)
        parser.add_argument("--kind", required=True, choices=_KINDS, help="what sort of body it is")
        parser.add_argument("--buys", action="store_true", help="it wants to buy")
        parser.add_argument("--sells", action="store_true", help="it wants to sell")
        parser.add_argument("--email", required=True, type=text(254), help="of its first member")

    def handle(self, *_args: object, **options: Any) -> None:
        """Register and invite; exit 1 with the reason when something is refused."""
        if not (options["buys"] or options["sells"]):
            raise CommandError("Say what it wants: --buys, --sells or both.")
        try:
            links = _register(options)
        except DomainError as refusal:
            raise CommandError(refusal.detail) from refusal
        self.stdout.write(f"{options['name']} has applied. {options['email']} comes in within seven days at:")
        for link in links:
            self.stdout.write(link)


@transaction.atomic
def _register(options: dict[str, Any]) -> list[str]:
    now = clock.now()
    application = Application(
        name=options["name"],
        kind=OrganisationKind(options["kind"]),
        legal=legal_details(options),
        can_buy=options["buys"],
        can_sell=options["sells"],
        country=options["jurisdiction"],
    )
    organisation = organisations.register(Actor.system(_LABEL), application, administrator=None, now=now)
    host = Actor(organisation.id, None, None, frozenset({Capability.MANAGE_MEMBERS}), f"system:{_LABEL}")
    roles = [role for role, wanted in ((Role.BUYER_ADMIN, "buys"), (Role.PROVIDER_ADMIN, "sells")) if options[wanted]]
    issued = [invitations.invite(host, email=options["email"], role=role, now=now) for role in roles]
    return [reverse("accept_invitation", args=[invitation.secret_text]) for invitation in issued]
