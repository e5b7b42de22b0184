"""Shapes of tax rates and of changes of the rules."""

from typing import Any

from rest_framework import serializers

from accounts.foundation.fields import StrictChoice, StrictText
from accounts.web.rows import one_of
from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId
from billing.invoices.serializers import PercentOut
from billing.policies.rules import MAX_FILE_BYTES, MAX_ROWS, KindName


class ProposeChanges(InputSerializer):
    """Rows for one table of rules: `content` as CSV, or `rows` as objects of texts with the same columns."""

    kind = StrictChoice(options=KindName)
    reason = StrictText(max_length=200)
    content = StrictText(max_length=MAX_FILE_BYTES, multiline=True, required=False)
    rows = serializers.ListField(child=serializers.JSONField(), min_length=1, max_length=MAX_ROWS, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take one of the two."""
        return one_of(attrs, "content", "rows")


class PolicyTableOut(OutputSerializer):
    """One table of rules: its columns, and its rows as texts by column, those that begin last first."""

    kind = serializers.CharField()
    columns: Any = serializers.ListField(child=serializers.CharField())
    rows: Any = serializers.ListField(child=serializers.DictField(child=serializers.CharField(allow_blank=True)))


class PolicyTablesOut(OutputSerializer):
    """Every table of rules."""

    tables = PolicyTableOut(many=True)


class PolicyChangeOut(OutputSerializer):
    """A row that was proposed, and what became of it."""

    id = SpelledId("pch")
    kind = serializers.CharField()
    row = serializers.JSONField(source="said")
    reason = serializers.CharField()
    status = serializers.CharField()
    proposed_by = serializers.CharField(source="proposed_by.display_name")
    decided_by = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)

    def get_decided_by(self, change: Any) -> str | None:
        """Return who decided."""
        return change.decided_by.display_name if change.decided_by else None


class TaxRateOut(OutputSerializer):
    """A jurisdiction's rate for a category of EN 16931 while it holds."""

    id = SpelledId("txr")
    jurisdiction = serializers.CharField()
    category = serializers.CharField()
    percent = PercentOut(source="rate_ppm")
    effective_from = serializers.DateTimeField()
    effective_to = serializers.DateTimeField(allow_null=True)
    source = serializers.CharField()  # type: ignore[assignment]  # DRF takes declared fields off the class
