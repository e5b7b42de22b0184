"""People in front of pages."""

from django.test import Client

from accounts.actors.actor import Actor
from accounts.organisations import members
from accounts.organisations.models import User
from accounts.organisations.rules import Role
from tests.accounts.cast import NOW, SYSTEM


def signed_in(actor: Actor, role: Role) -> Client:
    """Return the browser of somebody new in an actor's organisation; without a password, which takes long to hash."""
    organisation_id = actor.organisation()
    user = User.objects.create(
        email=f"{role}.{str(organisation_id)[-12:]}@example.com", display_name=role.title(), created_at=NOW
    )
    members.add_member(SYSTEM, organisation_id, user.id, role, now=NOW)
    client = Client()
    client.force_login(user)
    return client
