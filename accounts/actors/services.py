"""Who acts: from a signed-in person or an API key to an Actor."""

from uuid import UUID

from accounts.actors.actor import Actor
from accounts.actors.errors import NotAMember, OrganisationNotActive
from accounts.actors.rules import allowed_by_scopes, allowed_to_members
from accounts.foundation import ids
from accounts.keys.models import ApiKey
from accounts.keys.rules import Scope
from accounts.organisations.models import Membership, Organisation, User
from accounts.organisations.rules import OrganisationStatus, Role

_MAY_ACT = frozenset({OrganisationStatus.APPLIED, OrganisationStatus.ACTIVE})


def for_user(user: User, organisation_id: UUID | None) -> Actor:
    """Return a person acting for an organisation; None chooses the only one they belong to, if there is one only.

    Raises NotAMember for somebody else's organisation and OrganisationNotActive for one that may not act.
    """
    memberships = list(Membership.objects.filter(user=user).select_related("organisation").order_by("id"))
    label = ids.spell("usr", user.id)
    belongs_to = {membership.organisation_id for membership in memberships}
    if organisation_id is None and len(belongs_to) != 1:
        return Actor(None, user.id, None, frozenset(), label)
    chosen = [item for item in memberships if organisation_id in {None, item.organisation_id}]
    if not chosen:
        raise NotAMember
    organisation = chosen[0].organisation
    _check_active(organisation)
    capabilities = allowed_to_members(organisation, [Role(membership.role) for membership in chosen])
    return Actor(organisation.id, user.id, None, capabilities, label)


def for_key(key: ApiKey) -> Actor:
    """Return a key acting for its organisation; raises OrganisationNotActive."""
    _check_active(key.organisation)
    capabilities = allowed_by_scopes(key.organisation, [Scope(scope) for scope in key.scopes])
    return Actor(key.organisation_id, None, key.id, capabilities, ids.spell("key", key.id))


def _check_active(organisation: Organisation) -> None:
    if organisation.status not in _MAY_ACT:
        raise OrganisationNotActive(organisation.status)
