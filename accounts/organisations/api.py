"""The API over organisations and members."""

from typing import ClassVar
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.organisations import members, queries, services
from accounts.organisations.models import Membership, Organisation
from accounts.organisations.rules import OrganisationKind, OrganisationStatus, Role
from accounts.organisations.serializers import MemberOut, MeOut, NewMember, OrganisationOut, OwnOrganisationOut
from accounts.web import filters
from accounts.web.idempotent import idempotent
from accounts.web.views import ANY_ACTOR, ExchangeAPIView, ListMixin

STAFF = (Capability.OPERATE, Capability.SUPPORT, Capability.VIEW_BOOKS)


class Me(ExchangeAPIView):
    """Who calls, for whom, and what they may do."""

    required_capability: ClassVar = {"GET": ANY_ACTOR}
    outputs: ClassVar = {"GET": MeOut}

    def get(self, request: Request) -> Response:
        """Answer the caller."""
        return self.answer(self.actor)


class OwnOrganisation(ExchangeAPIView):
    """The organisation that the caller acts for."""

    required_capability: ClassVar = {"GET": ANY_ACTOR}
    outputs: ClassVar = {"GET": OwnOrganisationOut}

    def get(self, request: Request) -> Response:
        """Answer the organisation with its legal entities."""
        return self.answer(queries.with_legal_entities(self.actor))


class OrganisationFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which organisations."""

    status = filters.ChoiceFilter(options=OrganisationStatus)
    kind = filters.ChoiceFilter(options=OrganisationKind)

    class Meta:
        model = Organisation
        fields: ClassVar[list[str]] = []


class Organisations(ListMixin[Organisation], ExchangeAPIView):
    """Every organisation, for the exchange's own people."""

    required_capability: ClassVar = {"GET": STAFF}
    outputs: ClassVar = {"GET": OrganisationOut}
    filterset_class = OrganisationFilters

    def rows(self) -> QuerySet[Organisation]:
        """Return the organisations that the actor may see."""
        return queries.visible_to(self.actor)


class _Decision(ExchangeAPIView):
    """The operator decides about one organisation."""

    required_capability: ClassVar = {"POST": Capability.OPERATE}
    outputs: ClassVar = {"POST": OrganisationOut}
    statuses: ClassVar = {"POST": 200}


class Admission(_Decision):
    """Let an applicant take part."""

    @idempotent
    def post(self, request: Request, organisation_id: UUID) -> Response:
        """Admit."""
        return self.answer(services.admit(self.actor, organisation_id, now=clock.now()))


class Suspension(_Decision):
    """Stop an organisation."""

    @idempotent
    def post(self, request: Request, organisation_id: UUID) -> Response:
        """Suspend."""
        return self.answer(services.suspend(self.actor, organisation_id, now=clock.now()))


class Reinstatement(_Decision):
    """Let a suspended organisation take part again."""

    @idempotent
    def post(self, request: Request, organisation_id: UUID) -> Response:
        """Reinstate."""
        return self.answer(services.reinstate(self.actor, organisation_id, now=clock.now()))


class MemberFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which members."""

    role = filters.ChoiceFilter(options=Role)

    class Meta:
        model = Membership
        fields: ClassVar[list[str]] = []


class Members(ListMixin[Membership], ExchangeAPIView):
    """The roles of the caller's colleagues."""

    required_capability: ClassVar = {"GET": ANY_ACTOR, "POST": Capability.MANAGE_MEMBERS}
    inputs: ClassVar = {"POST": NewMember}
    outputs: ClassVar = {"GET": MemberOut, "POST": MemberOut}
    filterset_class = MemberFilters

    def rows(self) -> QuerySet[Membership]:
        """Return the memberships of the caller's organisation."""
        return queries.members_visible_to(self.actor)

    def post(self, request: Request) -> Response:
        """Give a colleague a further role."""
        wanted = self.read()
        membership = members.give_role(self.actor, wanted["user"], wanted["role"], now=clock.now())
        return self.answer(membership)


class OneMember(ExchangeAPIView):
    """One role of one colleague."""

    required_capability: ClassVar = {"DELETE": Capability.MANAGE_MEMBERS}

    def delete(self, request: Request, membership_id: UUID) -> Response:
        """Take the role away."""
        members.remove_member(self.actor, membership_id, now=clock.now())
        return Response(status=204)
