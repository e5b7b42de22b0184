"""Landings over HTTP."""

from typing import ClassVar

import django_filters
from django.db.models import QuerySet

from accounts.actors.actor import Capability
from accounts.web.filters import ChoiceFilter, TypedIdFilter
from accounts.web.views import ExchangeAPIView, ListMixin
from billing.landings import queries
from billing.landings.models import WalletLanding
from billing.landings.rules import Stage
from billing.landings.serializers import WalletLandingOut


class LandingFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which landings."""

    stage = ChoiceFilter(options=Stage, field_name="status")
    organisation = TypedIdFilter(prefix="org", field_name="organisation_id")

    class Meta:
        model = WalletLanding
        fields: ClassVar[list[str]] = []


class WalletLandings(ListMixin[WalletLanding], ExchangeAPIView):
    """The times that the wallet of the caller's organisation ran out; all wallets' for those who read the books."""

    required_capability: ClassVar = {"GET": (Capability.VIEW_BUYING, Capability.VIEW_BOOKS)}
    outputs: ClassVar = {"GET": WalletLandingOut}
    filterset_class = LandingFilters

    def rows(self) -> QuerySet[WalletLanding]:
        """Return the landings that the actor may see."""
        return queries.visible_to(self.actor)
