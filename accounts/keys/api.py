"""The API over API keys."""

from typing import ClassVar
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.keys import queries, services
from accounts.keys.models import ApiKey
from accounts.keys.serializers import IssuedKeyOut, KeyOut, NewKey
from accounts.web.views import ExchangeAPIView, ListMixin


class Keys(ListMixin[ApiKey], ExchangeAPIView):
    """The keys of the caller's organisation."""

    required_capability: ClassVar = {"GET": Capability.MANAGE_KEYS, "POST": Capability.MANAGE_KEYS}
    inputs: ClassVar = {"POST": NewKey}
    outputs: ClassVar = {"GET": KeyOut, "POST": IssuedKeyOut}

    def rows(self) -> QuerySet[ApiKey]:
        """Return the keys that the actor may see."""
        return queries.visible_to(self.actor)

    # Not idempotent: a stored answer would keep the secret. A lost answer is a key to revoke.
    def post(self, request: Request) -> Response:
        """Issue a key; the answer is the only place where its secret is ever shown."""
        wanted = self.read()
        issued = services.issue(
            self.actor,
            name=wanted["name"],
            scopes=wanted["scopes"],
            expires_at=wanted["expires_at"],
            now=clock.now(),
        )
        return self.answer(issued)


class OneKey(ExchangeAPIView):
    """One key."""

    required_capability: ClassVar = {"DELETE": Capability.MANAGE_KEYS}

    def delete(self, request: Request, key_id: UUID) -> Response:
        """Revoke it: it is refused from the next request on."""
        services.revoke(self.actor, key_id, now=clock.now())
        return Response(status=204)
