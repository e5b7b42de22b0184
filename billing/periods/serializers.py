"""Shapes of closed months and of requests to reopen one."""

from rest_framework import serializers

from accounts.foundation.fields import StrictText
from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId
from billing.periods.models import AccountingPeriod, PeriodReopening
from billing.periods.rules import spelled


class AskReopening(InputSerializer):
    """Why a month should be open again."""

    reason = StrictText(max_length=500)


class CheckOut(OutputSerializer):
    """One line of a month's checklist."""

    code = serializers.CharField()
    passes = serializers.BooleanField()
    found = serializers.CharField()


class PeriodOut(OutputSerializer):
    """A month that has been closed; `checklist` is what was found when it was closed last."""

    month = serializers.SerializerMethodField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    status = serializers.CharField()
    closed_at = serializers.DateTimeField(allow_null=True)
    closed_by = serializers.SerializerMethodField()
    transactions = serializers.IntegerField(source="transaction_count")
    checklist = CheckOut(many=True)

    def get_month(self, period: AccountingPeriod) -> str:
        """Return the month as it is written."""
        return spelled(period.month)

    def get_closed_by(self, period: AccountingPeriod) -> str | None:
        """Return who closed it."""
        return period.closed_by.display_name if period.closed_by else None


class ReopeningOut(OutputSerializer):
    """A request to reopen a month."""

    id = SpelledId("rop")
    month = serializers.SerializerMethodField()
    reason = serializers.CharField()
    status = serializers.CharField()
    requested_by = serializers.CharField(source="requested_by.display_name")
    requested_at = serializers.DateTimeField()
    decided_by = serializers.SerializerMethodField()
    decided_at = serializers.DateTimeField(allow_null=True)

    def get_month(self, reopening: PeriodReopening) -> str:
        """Return the month as it is written."""
        return spelled(reopening.period.month)

    def get_decided_by(self, reopening: PeriodReopening) -> str | None:
        """Return who decided."""
        return reopening.decided_by.display_name if reopening.decided_by else None
