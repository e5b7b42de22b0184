"""Shapes of what is owed to providers and of the payouts that pay it."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.foundation.fields import StrictChoice, StrictText
from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId
from billing.ledger.serializers import MoneyOut, money
from billing.payouts import queries, rules
from billing.payouts.models import Payout, PayoutDestination
from catalog.measures.money import EXPONENTS


class PayableOut(OutputSerializer):
    """What is owed to a provider: in its dispute window, free to be paid out, and kept back for a time."""

    organisation = SpelledId("org", source="organisation_id")
    organisation_name = serializers.CharField()
    pending = MoneyOut("pending_minor")
    available = MoneyOut("available_minor")
    reserved = MoneyOut("reserved_minor")
    next_release_at = serializers.DateTimeField(allow_null=True)


class PayablesOut(OutputSerializer):
    """What is owed, one line for each provider and currency."""

    data = PayableOut(many=True)  # type: ignore[assignment]  # a field here, not the property


class PayoutOut(OutputSerializer):
    """A payout; while it accrues its amount is what it has taken in so far."""

    id = SpelledId("pyt")
    organisation = SpelledId("org", source="organisation_id")
    organisation_name = serializers.CharField(source="organisation.name")
    status = serializers.CharField()
    amount = serializers.SerializerMethodField()
    opened_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True)
    approved_at = serializers.DateTimeField(allow_null=True)
    method = serializers.SerializerMethodField()
    account_ending = serializers.SerializerMethodField()
    sent_at = serializers.DateTimeField(allow_null=True)
    bank_reference = serializers.CharField()
    ended_at = serializers.DateTimeField(allow_null=True)
    failure = serializers.CharField()

    def get_amount(self, payout: Any) -> dict[str, str]:
        """Return what it pays."""
        return money(payout.amount_minor or payout.accrued_minor, payout.currency)

    def get_method(self, payout: Payout) -> str | None:
        """Return how it was sent."""
        return payout.method or None

    def get_account_ending(self, payout: Payout) -> str | None:
        """Return the end of the account number that it went to."""
        return payout.destination.account_ending if payout.destination else None


class PaidItemOut(OutputSerializer):
    """A part of one statement that a payout pays."""

    statement = SpelledId("stm", source="statement_id")
    statement_number = serializers.CharField()
    part = serializers.CharField()
    statement_amount = MoneyOut("statement_minor")
    amount = MoneyOut("amount_minor")


class OnePayoutOut(PayoutOut):
    """A payout with the list of what it pays."""

    items = serializers.SerializerMethodField()

    @extend_schema_field(PaidItemOut(many=True))
    def get_items(self, payout: Payout) -> Any:
        """Return which parts of which statements it pays; for a failed one what it would have paid."""
        return PaidItemOut(queries.items(payout), many=True).data


class ConfirmPayout(InputSerializer):
    """The bank's id of the transaction that paid it."""

    bank_reference = StrictText(max_length=64)


class FailPayout(InputSerializer):
    """Why the bank did not pay."""

    reason = StrictText(max_length=500)


class MakeTransferFile(InputSerializer):
    """Which approved payouts."""

    currency = StrictChoice(options=EXPONENTS, required=False, default="CNY")


class TransferFileOut(OutputSerializer):
    """A file of payouts for the bank."""

    id = SpelledId("trf")
    currency = serializers.CharField()
    payouts = serializers.IntegerField(source="payout_count")
    total = MoneyOut("total_minor")
    created_by = serializers.CharField(source="created_by.display_name")
    created_at = serializers.DateTimeField()


class BankNumber(StrictText):
    """A number of the banks, whose blanks and hyphens are taken off by `reader`."""

    def __init__(self, reader: Callable[[object], str], **options: Any) -> None:
        super().__init__(**options)
        self.reader = reader

    def read(self, value: object) -> str:
        """Return the number as banks exchange it."""
        return self.reader(super().read(value))


class EnterDestination(InputSerializer):
    """A bank account. The number is kept sealed and never shown again."""

    holder = StrictText(max_length=140)
    bank_name = StrictText(max_length=140)
    bank_code = BankNumber(rules.bank_code, max_length=40)
    account = BankNumber(rules.account_number, max_length=64, min_length=6)


class DestinationOut(OutputSerializer):
    """Where a provider's money goes; before `held_until` nothing is paid."""

    holder = serializers.CharField()
    bank_name = serializers.CharField()
    bank_code = serializers.CharField()
    account_ending = serializers.CharField()
    entered_at = serializers.DateTimeField(source="created_at")
    held_until = serializers.SerializerMethodField()

    def get_held_until(self, destination: PayoutDestination) -> Any:
        """Return from when on payouts go there."""
        return serializers.DateTimeField().to_representation(destination.held_until)


class DestinationsOut(OutputSerializer):
    """The bank account in force, or none."""

    data = DestinationOut(many=True)  # type: ignore[assignment]  # a field here, not the property
