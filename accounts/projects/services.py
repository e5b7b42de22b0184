"""Making and archiving projects."""

import re
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.foundation.errors import Invalid, NotFound
from accounts.projects import queries
from accounts.projects.errors import DefaultProjectStays, ProjectCodeTaken
from accounts.projects.models import Project

DEFAULT_CODE: Final = "default"
_CODE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}\Z", re.ASCII)


@transaction.atomic
def create(actor: Actor, organisation_id: UUID, *, code: str, name: str, now: datetime) -> Project:
    """Make a project of the actor's organisation; raises NotAllowed, Invalid and ProjectCodeTaken."""
    if not actor.is_system:
        actor.require(Capability.TRADE, Capability.MANAGE_MEMBERS)
        if actor.organisation_id != organisation_id:
            raise NotFound
    if not _CODE.match(code):
        raise Invalid.field("/code", code, "1 to 40 of a-z, 0-9 and -, beginning with a letter or digit")
    try:
        with transaction.atomic():
            project = Project.objects.create(organisation_id=organisation_id, code=code, name=name, created_at=now)
    except IntegrityError as error:
        raise ProjectCodeTaken(code) from error
    audit.record(
        actor, "project.create", "project", project.id, None, {"code": code, "name": name}, now=now,
        organisation_id=organisation_id,
    )  # fmt: skip
    return project


@transaction.atomic
def archive(actor: Actor, project_id: UUID, *, now: datetime) -> Project:
    """Take a project off the lists for new orders; what was ordered under it stays. Archiving twice is no error."""
    actor.require(Capability.MANAGE_MEMBERS)
    project = queries.visible_to(actor).select_for_update().filter(pk=project_id).first()
    if project is None:
        raise NotFound
    if project.code == DEFAULT_CODE:
        raise DefaultProjectStays
    if project.archived_at is None:
        project.archived_at = now
        project.save(update_fields=["archived_at"])
        audit.record(actor, "project.archive", "project", project.id, {"archived": False}, {"archived": True}, now=now)
    return project
