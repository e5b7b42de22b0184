"""The API over projects."""

from typing import ClassVar
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.projects import queries, services
from accounts.projects.models import Project
from accounts.projects.serializers import NewProject, ProjectOut
from accounts.web import filters
from accounts.web.idempotent import idempotent
from accounts.web.views import ANY_ACTOR, ExchangeAPIView, ListMixin


class ProjectFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which projects."""

    code = filters.TextFilter(max_length=40)

    class Meta:
        model = Project
        fields: ClassVar[list[str]] = []


class Projects(ListMixin[Project], ExchangeAPIView):
    """The projects of the caller's organisation."""

    required_capability: ClassVar = {"GET": ANY_ACTOR, "POST": (Capability.TRADE, Capability.MANAGE_MEMBERS)}
    inputs: ClassVar = {"POST": NewProject}
    outputs: ClassVar = {"GET": ProjectOut, "POST": ProjectOut}
    filterset_class = ProjectFilters

    def rows(self) -> QuerySet[Project]:
        """Return the projects that the actor may see."""
        return queries.visible_to(self.actor)

    @idempotent
    def post(self, request: Request) -> Response:
        """Make a project."""
        wanted = self.read()
        organisation_id = self.actor.organisation()
        project = services.create(
            self.actor, organisation_id, code=wanted["code"], name=wanted["name"], now=clock.now()
        )
        return self.answer(project)


class ProjectArchival(ExchangeAPIView):
    """Taking a project off the lists for new orders."""

    required_capability: ClassVar = {"POST": Capability.MANAGE_MEMBERS}
    outputs: ClassVar = {"POST": ProjectOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, project_id: UUID) -> Response:
        """Archive."""
        return self.answer(services.archive(self.actor, project_id, now=clock.now()))
