"""People and their roles: the verbs over users and memberships."""

from datetime import datetime
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids
from accounts.foundation.errors import Invalid, NotFound
from accounts.organisations.errors import AlreadyAMember, EmailTaken, LastAdministrator, PasswordTooWeak, RoleNotOpen
from accounts.organisations.models import Membership, Organisation, User
from accounts.organisations.rules import ADMIN_ROLES, Role, roles_open_to


def create_user(
    actor: Actor, *, email: str, display_name: str, password: str, now: datetime, locale: str = "en"
) -> User:
    """Make somebody who can sign in and does not belong anywhere yet.

    Raises Invalid for a malformed address, PasswordTooWeak, and EmailTaken.
    """
    user = User(email=address_of(email), display_name=display_name, locale=locale, created_at=now)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise PasswordTooWeak(error.messages) from error
    user.set_password(password)
    try:
        with transaction.atomic():  # a savepoint: the caller's transaction survives a taken address
            user.save(force_insert=True)
    except IntegrityError as error:
        raise EmailTaken from error
    audit.record(actor, "user.create", "user", user.id, None, {"display_name": display_name}, now=now)
    return user


def address_of(text: str) -> str:
    """Return an e-mail address in lower case; raises Invalid for what is not one."""
    address = text.strip().lower()
    try:
        validate_email(address)
    except ValidationError as error:
        raise Invalid.field("/email", text, "an e-mail address such as name@example.com") from error
    return address


@transaction.atomic
def add_member(actor: Actor, organisation_id: UUID, user_id: UUID, role: Role, *, now: datetime) -> Membership:
    """Give a person a role in the actor's organisation (the system: in any).

    Nobody is added without having agreed: callers are the exchange itself and the verbs over
    invitations and colleagues. Raises NotAllowed, NotFound, RoleNotOpen and AlreadyAMember.
    """
    actor.require(Capability.MANAGE_MEMBERS)
    organisation = _own(actor, organisation_id)
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        raise NotFound
    return join(actor, organisation, user, role, now=now)


@transaction.atomic
def give_role(actor: Actor, user_id: UUID, role: Role, *, now: datetime) -> Membership:
    """Give a colleague a further role; somebody who does not belong to the organisation yet is invited instead.

    Raises NotAllowed, NotFound, RoleNotOpen and AlreadyAMember.
    """
    actor.require(Capability.MANAGE_MEMBERS)
    organisation = _own(actor, actor.organisation())
    if not Membership.objects.filter(organisation=organisation, user_id=user_id).exists():
        raise NotFound
    return add_member(actor, organisation.id, user_id, role, now=now)


def join(actor: Actor, organisation: Organisation, user: User, role: Role, *, now: datetime) -> Membership:
    """Write the membership once the caller has settled that it may be given."""
    open_roles = roles_open_to(
        can_buy=organisation.can_buy, can_sell=organisation.can_sell, can_operate=organisation.can_operate
    )
    if role not in open_roles:
        raise RoleNotOpen(role, open_roles=open_roles)
    try:
        with transaction.atomic():
            membership = Membership.objects.create(user=user, organisation=organisation, role=role, created_at=now)
    except IntegrityError as error:
        raise AlreadyAMember(role) from error
    _note(actor, "member.added", membership, now=now, added=True)
    return membership


@transaction.atomic
def remove_member(actor: Actor, membership_id: UUID, *, now: datetime) -> None:
    """Take a role away; the person keeps any other. Raises NotAllowed, NotFound and LastAdministrator."""
    actor.require(Capability.MANAGE_MEMBERS)
    membership = Membership.objects.filter(pk=membership_id).select_related("organisation", "user").first()
    if membership is None:
        raise NotFound
    # The organisation's row serialises removals, so that two administrators cannot remove each other at once.
    organisation = _own(actor, membership.organisation_id)
    administrators = Membership.objects.filter(organisation=organisation, role__in=ADMIN_ROLES)
    if membership.role in ADMIN_ROLES and not administrators.exclude(pk=membership.pk).exists():
        raise LastAdministrator
    _note(actor, "member.removed", membership, now=now, added=False)
    membership.delete()


def _own(actor: Actor, organisation_id: UUID) -> Organisation:
    if not actor.is_system and actor.organisation_id != organisation_id:
        raise NotFound
    organisation = Organisation.objects.select_for_update().filter(pk=organisation_id).first()
    if organisation is None:
        raise NotFound
    return organisation


def _note(actor: Actor, event: str, membership: Membership, *, now: datetime, added: bool) -> None:
    fields = {"user": membership.user_id, "role": membership.role}
    before, after = (None, fields) if added else (fields, None)
    organisation_id = membership.organisation_id
    audit.record(
        actor, event, "membership", membership.id, before, after, now=now, organisation_id=organisation_id
    )  # fmt: skip
    payload = {"member": ids.spell("mem", membership.id), "role": str(membership.role)}
    events.emit(event, "organisation", organisation_id, organisation_id, payload, now=now)
