"""Reads of the rules that money goes by, and of what is proposed about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from accounts.actors.actor import Actor, Capability
from billing.contracts.models import TaxRate
from billing.policies.kinds import KINDS
from billing.policies.models import PolicyChange
from billing.policies.rules import KindName


def changes(actor: Actor) -> QuerySet[PolicyChange]:
    """Every change that was proposed."""
    actor.require(Capability.VIEW_BOOKS)
    return PolicyChange.objects.select_related("proposed_by", "decided_by")


@dataclass(frozen=True)
class Shown:
    """One table of rules: its columns, and its rows as texts, those that begin last first."""

    kind: KindName
    columns: Sequence[str]
    rows: Sequence[Mapping[str, str]]


def tables(actor: Actor) -> list[Shown]:
    """Every table of rules with every row, what has passed and what is announced too."""
    actor.require(Capability.VIEW_BOOKS)
    return [table(actor, kind) for kind in KindName]


def table(actor: Actor, kind: KindName) -> Shown:
    """One of them."""
    actor.require(Capability.VIEW_BOOKS)
    found = KINDS[kind]
    return Shown(kind, (*found.optional, *found.required), found.spelled())


def tax_rates() -> QuerySet[TaxRate]:
    """The tax table; it is public."""
    return TaxRate.objects.all()
