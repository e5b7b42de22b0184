"""The Actor: who acts, for whom, and what they may do. Every service takes one first."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self
from uuid import UUID

from accounts.actors.errors import NotAllowed


class Capability(StrEnum):
    """Something that may be allowed. Services require one; nothing else is ever asked."""

    VIEW_BUYING = "view_buying"
    TRADE = "trade"
    VIEW_SELLING = "view_selling"
    LIST = "list"
    DELIVER = "deliver"
    METER = "meter"
    MANAGE_MEMBERS = "manage_members"
    MANAGE_KEYS = "manage_keys"
    VIEW_BOOKS = "view_books"
    OPERATE_BOOKS = "operate_books"
    APPROVE_BOOKS = "approve_books"
    SUPPORT = "support"
    OPERATE = "operate"


STAFF: Final = frozenset({Capability.VIEW_BOOKS, Capability.OPERATE, Capability.SUPPORT})


@dataclass(frozen=True)
class Actor:
    """Who acts: a person or a key for one organisation, or the system itself.

    `label` names them in the audit trail. `organisation_id` is None for the system and for a
    person who has not chosen an organisation yet (who then has no capabilities).
    """

    organisation_id: UUID | None
    user_id: UUID | None
    key_id: UUID | None
    capabilities: frozenset[Capability]
    label: str

    @classmethod
    def system(cls, label: str) -> Self:
        """Return the exchange itself acting, for example `Actor.system("clearing")`."""
        return cls(None, None, None, frozenset(Capability), f"system:{label}")

    def can(self, capability: Capability) -> bool:
        """Tell whether this actor may."""
        return capability in self.capabilities

    def require(self, *capabilities: Capability) -> None:
        """Raise NotAllowed unless the actor has one of these capabilities."""
        if not self.capabilities.intersection(capabilities):
            raise NotAllowed(capabilities)

    def organisation(self) -> UUID:
        """Return the organisation acted for; raises NotAllowed for an actor without one."""
        if self.organisation_id is None:
            raise NotAllowed(())
        return self.organisation_id

    @property
    def is_system(self) -> bool:
        """Whether the exchange itself acts."""
        return self.organisation_id is None and self.capabilities == frozenset(Capability)

    @property
    def is_staff(self) -> bool:
        """Whether the actor works for the operator and may see across organisations."""
        return not STAFF.isdisjoint(self.capabilities)
