"""Shapes of what does not match."""

from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.foundation import ids
from accounts.web.serializers import OutputSerializer
from billing.ledger.serializers import MONEY_SCHEMA, money
from billing.reconciliation.rules import Item

# Subjects that have a page or a resource of their own, and the prefix of their ids.
PREFIXES: Final = {
    "top_up": "top",
    "bank_receipt": "rcp",
    "contract": "ctr",
    "invoice": "inv",
    "statement": "stm",
    "ledger_transaction": "txn",
}


class ItemOut(OutputSerializer):
    """One thing that does not match, and its likely cause."""

    kind = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)
    cause = serializers.CharField()
    subject = serializers.SerializerMethodField()
    organisation = serializers.SerializerMethodField()
    organisation_name = serializers.CharField()
    amount = serializers.SerializerMethodField()

    def get_subject(self, item: Item) -> str | None:
        """Return the id of what it is about, where that can be looked up."""
        prefix = PREFIXES.get(item.subject_type)
        return ids.spell(prefix, item.subject_id) if prefix and item.subject_id else None

    def get_organisation(self, item: Item) -> str | None:
        """Return whose it is, where that is known."""
        return ids.spell("org", item.organisation_id) if item.organisation_id else None

    @extend_schema_field({"oneOf": [MONEY_SCHEMA, {"type": "null"}]})
    def get_amount(self, item: Item) -> dict[str, Any] | None:
        """Return what is at stake, where it is an amount."""
        return None if item.amount_minor is None else money(item.amount_minor, item.currency)


class UnmatchedOut(OutputSerializer):
    """Everything that does not match; `cut_kinds` have more items than are shown."""

    at = serializers.DateTimeField()
    data = ItemOut(many=True, source="items")  # type: ignore[assignment]  # a field here, not the property
    cut_kinds = serializers.ListField(child=serializers.CharField())
