"""Reading organisations and members."""

from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet

from accounts.actors.actor import Actor, Capability
from accounts.foundation.errors import NotFound
from accounts.organisations.errors import LegalEntityMissing
from accounts.organisations.models import LegalEntity, Membership, Organisation, User
from accounts.organisations.rules import OrganisationStatus


def visible_to(actor: Actor) -> QuerySet[Organisation]:
    """Return the organisations whose affairs an actor may see: their own; staff and the system all."""
    if actor.is_staff or actor.is_system:
        return Organisation.objects.all()
    if actor.organisation_id is None:
        return Organisation.objects.none()
    return Organisation.objects.filter(pk=actor.organisation_id)


def get(actor: Actor, organisation_id: UUID) -> Organisation:
    """Return one organisation; raises NotFound for one the actor may not see."""
    organisation = visible_to(actor).filter(pk=organisation_id).first()
    if organisation is None:
        raise NotFound
    return organisation


def with_legal_entities(actor: Actor) -> Organisation:
    """Return the actor's own organisation with its legal entities at hand, the latest last."""
    entities = Prefetch("legal_entities", LegalEntity.objects.order_by("effective_from"))
    return Organisation.objects.prefetch_related(entities).get(pk=actor.organisation())


def operator() -> Organisation:
    """Return the organisation that operates the exchange; raises NotFound before there is one."""
    organisation = Organisation.objects.filter(can_operate=True).first()
    if organisation is None:
        raise NotFound("No organisation operates this exchange yet.")
    return organisation


def legal_entity(organisation_id: UUID, *, at: datetime) -> LegalEntity:
    """Return what an organisation was in law at an instant; raises LegalEntityMissing."""
    entity = (
        LegalEntity.objects.filter(organisation_id=organisation_id, effective_from__lte=at)
        .filter(Q(effective_to__isnull=True) | Q(effective_to__gt=at))
        .select_related("organisation")
        .first()
    )
    if entity is None:
        raise LegalEntityMissing(Organisation.objects.get(pk=organisation_id).name)
    return entity


def members_visible_to(actor: Actor) -> QuerySet[Membership]:
    """Return the memberships of the actor's own organisation; every colleague may see them."""
    if actor.is_system:
        return Membership.objects.select_related("user", "organisation")
    if actor.organisation_id is None:
        return Membership.objects.none()
    return Membership.objects.filter(organisation_id=actor.organisation_id).select_related("user", "organisation")


def organisations_of(user: User) -> QuerySet[Organisation]:
    """Return the organisations that a person belongs to, by name."""
    return Organisation.objects.filter(memberships__user=user).distinct().order_by("name")


def applications(actor: Actor) -> QuerySet[Organisation]:
    """Return the organisations that wait to be admitted, oldest first."""
    actor.require(Capability.OPERATE)
    return Organisation.objects.filter(status=OrganisationStatus.APPLIED).order_by("id")
