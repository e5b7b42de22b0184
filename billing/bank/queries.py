"""Reads of the bank's statements, which are for those who read the books."""

from uuid import UUID

from django.db.models import QuerySet

from accounts.actors.actor import Actor, Capability
from billing.bank.errors import NoSuchStatement
from billing.bank.models import BankEntry, BankStatement


def visible_statements(actor: Actor) -> QuerySet[BankStatement]:
    """Return every imported statement."""
    actor.require(Capability.VIEW_BOOKS)
    return BankStatement.objects.all()


def statement(actor: Actor, statement_id: UUID) -> BankStatement:
    """Return one statement; raises NoSuchStatement."""
    found = visible_statements(actor).filter(id=statement_id).first()
    if found is None:
        raise NoSuchStatement
    return found


def entries(actor: Actor, statement_id: UUID) -> QuerySet[BankEntry]:
    """Return the entries that a statement brought; raises NoSuchStatement."""
    return statement(actor, statement_id).entries.select_related("receipt")
