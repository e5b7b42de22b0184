"""Shapes of budgets, credit limits and thresholds."""

from typing import Any

from rest_framework import serializers

from accounts.foundation.fields import StrictText, TypedId
from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId
from billing.ledger.serializers import MoneyInput, MoneyOut
from billing.wallets.rules import MAX_LIMIT_MINOR, MAX_THRESHOLDS


class SetBudget(InputSerializer):
    """What a project may spend."""

    limit = MoneyInput(max_minor=MAX_LIMIT_MINOR)


class BudgetOut(OutputSerializer):
    """A project's budget: held for orders and contracts, invoiced, credited, and what is left."""

    project = SpelledId("prj", source="project_id")
    limit = MoneyOut("limit_minor")
    held = MoneyOut("held_minor")
    captured = MoneyOut("captured_minor")
    extras = MoneyOut("extras_minor")
    credited = MoneyOut("credited_minor")
    left = MoneyOut("left_minor")
    changed_at = serializers.DateTimeField()


class ProposeCredit(InputSerializer):
    """How far whose wallet may go below zero, and why."""

    organisation = TypedId("org")
    limit = MoneyInput(max_minor=MAX_LIMIT_MINOR, min_minor=0)
    reason = StrictText(max_length=200)


class CreditChangeOut(OutputSerializer):
    """A credit limit that was proposed, and what became of it."""

    id = SpelledId("clc")
    organisation = SpelledId("org", source="organisation_id")
    limit = MoneyOut("limit_minor")
    reason = serializers.CharField()
    status = serializers.CharField()
    created_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)


class SetThresholds(InputSerializer):
    """The amounts below which the owner is warned."""

    thresholds = serializers.ListField(child=MoneyInput(max_minor=MAX_LIMIT_MINOR), max_length=MAX_THRESHOLDS)


class ThresholdOut(OutputSerializer):
    """A threshold; armed until it has warned, and again when there is enough."""

    below = MoneyOut("below_minor")
    is_armed = serializers.BooleanField()
    warned_at = serializers.DateTimeField(allow_null=True)


class ThresholdsOut(OutputSerializer):
    """Every threshold of a wallet's owner."""

    thresholds = serializers.SerializerMethodField()

    def get_thresholds(self, found: Any) -> list[dict[str, Any]]:
        """Return them, the highest first."""
        return list(ThresholdOut(found["thresholds"], many=True).data)
