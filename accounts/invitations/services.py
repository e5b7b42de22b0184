"""Inviting people and letting them in."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.foundation import ids
from accounts.foundation.errors import NotFound
from accounts.invitations import queries
from accounts.invitations.errors import AnotherAddress, InvitationNotOpen, SignInToAccept
from accounts.invitations.models import Invitation
from accounts.organisations import members
from accounts.organisations.errors import RoleNotOpen
from accounts.organisations.models import Membership, Organisation, User
from accounts.organisations.rules import Role, roles_open_to

LIFE: Final = timedelta(days=7)


@dataclass(frozen=True)
class IssuedInvitation:
    """A new invitation and the secret of its link, which is shown once and kept nowhere."""

    invitation: Invitation
    secret_text: str


@transaction.atomic
def invite(actor: Actor, *, email: str, role: Role, now: datetime) -> IssuedInvitation:
    """Offer somebody a role in the actor's organisation; whether they have an account is not told.

    Raises NotAllowed without MANAGE_MEMBERS, Invalid for a malformed address and RoleNotOpen.
    """
    actor.require(Capability.MANAGE_MEMBERS)
    organisation = Organisation.objects.get(pk=actor.organisation())
    open_roles = roles_open_to(
        can_buy=organisation.can_buy, can_sell=organisation.can_sell, can_operate=organisation.can_operate
    )
    if role not in open_roles:
        raise RoleNotOpen(role, open_roles=open_roles)
    secret = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        organisation=organisation,
        email=members.address_of(email),
        role=role,
        secret_sha256=_digest(secret),
        invited_by_id=actor.user_id,
        created_at=now,
        expires_at=now + LIFE,
    )
    audit.record(actor, "invitation.issue", "invitation", invitation.id, None, {"role": role}, now=now)
    return IssuedInvitation(invitation, secret)


@transaction.atomic
def withdraw(actor: Actor, invitation_id: UUID, *, now: datetime) -> None:
    """Make a link useless; raises NotFound for one that is not open."""
    actor.require(Capability.MANAGE_MEMBERS)
    invitation = queries.open_of(actor).select_for_update(of=("self",)).filter(pk=invitation_id).first()
    if invitation is None:
        raise NotFound
    invitation.withdrawn_at = now
    invitation.save(update_fields=["withdrawn_at"])
    audit.record(actor, "invitation.withdraw", "invitation", invitation.id, None, {"withdrawn": True}, now=now)


def find(secret: str, *, now: datetime) -> Invitation:
    """Return the open invitation of a link; raises InvitationNotOpen."""
    return _open(Invitation.objects.all(), secret, now=now)


@transaction.atomic
def accept(secret: str, *, user: User | None, display_name: str, password: str, now: datetime) -> Membership:
    """Let the invited person in: the signed-in `user`, or somebody new with this name and password.

    Raises InvitationNotOpen, SignInToAccept, AnotherAddress, PasswordTooWeak and AlreadyAMember.
    """
    # Locked: of two who open the link at once, one is let in.
    invitation = _open(Invitation.objects.select_for_update(of=("self",)), secret, now=now)
    system = Actor.system("invitation")
    if user is None:
        if User.objects.filter(email=invitation.email).exists():
            raise SignInToAccept
        user = members.create_user(
            system, email=invitation.email, display_name=display_name, password=password, now=now
        )
    elif user.email != invitation.email:
        raise AnotherAddress
    invitation.accepted_at = now
    invitation.save(update_fields=["accepted_at"])
    actor = Actor(None, user.id, None, frozenset(), ids.spell("usr", user.id))
    return members.join(actor, invitation.organisation, user, Role(invitation.role), now=now)


def _open(invitations: queries.Invitations, secret: str, *, now: datetime) -> Invitation:
    invitation = (
        invitations.select_related("organisation")
        .filter(secret_sha256=_digest(secret), accepted_at=None, withdrawn_at=None, expires_at__gt=now)
        .first()
    )
    if invitation is None:
        raise InvitationNotOpen
    return invitation


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
