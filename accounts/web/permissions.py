"""Who may call a method of a view: what the view declares, and nobody else."""

from typing import Final, Protocol, runtime_checkable

from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.actors.actor import Actor, Capability
from accounts.actors.errors import SignInNeeded

# What a method may be open to besides the holders of a capability.
ANY_ACTOR: Final = "any_actor"  # whoever acts for an organisation
PUBLIC: Final = "public"  # everybody, also without a key
Requirement = Capability | tuple[Capability, ...] | str


@runtime_checkable
class Declared(Protocol):
    """A view that says what each of its methods asks for: `accounts.web.views.ExchangeAPIView`."""

    def requirement(self, method: str) -> Requirement | None: ...


class HasRequiredCapability(BasePermission):
    """Ask for what the view declares; a method that declares nothing is open to nobody."""

    def has_permission(self, request: Request, view: object) -> bool:
        """Return True or raise SignInNeeded, NotAllowed or MethodNotAllowed, before the request is read."""
        assert isinstance(view, Declared), f"{type(view).__name__} is no ExchangeAPIView"
        requirement = view.requirement(request.method or "")
        if requirement is None:
            raise MethodNotAllowed(request.method or "")
        if requirement == PUBLIC:
            return True
        actor = request.auth
        if not isinstance(actor, Actor):
            raise SignInNeeded
        actor.organisation()
        if requirement == ANY_ACTOR:
            return True
        actor.require(*_capabilities(requirement))
        return True


def _capabilities(requirement: Requirement) -> tuple[Capability, ...]:
    return requirement if isinstance(requirement, tuple) else (Capability(requirement),)
