"""Reading projects."""

from uuid import UUID

from django.db.models import QuerySet

from accounts.actors.actor import Actor
from accounts.foundation.errors import NotFound
from accounts.projects.models import Project


def visible_to(actor: Actor) -> QuerySet[Project]:
    """Return the projects of the actor's organisation; staff and the system see all."""
    if actor.is_staff or actor.is_system:
        return Project.objects.all()
    if actor.organisation_id is None:
        return Project.objects.none()
    return Project.objects.filter(organisation_id=actor.organisation_id)


def for_order(actor: Actor, project_id: UUID | None) -> Project:
    """Return the open project of the actor's own organisation that an order names; None names the default one.

    Raises NotFound for a project that is archived or somebody else's.
    """
    projects = Project.objects.filter(organisation_id=actor.organisation(), archived_at__isnull=True)
    wanted = projects.filter(code="default") if project_id is None else projects.filter(pk=project_id)
    project = wanted.first()
    if project is None:
        raise NotFound
    return project


def open_to(actor: Actor) -> QuerySet[Project]:
    """Return the projects that the actor's own organisation can book on, by code."""
    return Project.objects.filter(organisation_id=actor.organisation(), archived_at__isnull=True).order_by("code")
