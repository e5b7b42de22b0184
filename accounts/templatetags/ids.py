"""Typed ids in templates: `{% load ids %}{{ order.id|typed:"ord" }}`."""

from uuid import UUID

from django import template

from accounts.foundation import ids

register = template.Library()


@register.filter
def typed(value: UUID, prefix: str) -> str:
    """The id as it is written outside: its type, then the id."""
    return ids.spell(prefix, value)


@register.filter
def short(value: UUID, prefix: str) -> str:
    """The type and the last six characters, for a table where the whole id is in the link."""
    return f"{prefix}_…{ids.spell(prefix, value)[-6:]}"
