"""Shapes of the bank's statements."""

from typing import Any

from rest_framework import serializers

from accounts.foundation.fields import StrictText
from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId
from billing.bank.rules import MAX_BYTES
from billing.bank.services import Imported, result_of
from billing.ledger.serializers import MoneyOut


class ImportStatement(InputSerializer):
    """A statement as the bank gives it: CAMT.053 or CSV, as text."""

    file_name = StrictText(max_length=120)
    content = StrictText(max_length=MAX_BYTES, multiline=True)


class RowOut(OutputSerializer):
    """What became of one row of the file."""

    row = serializers.IntegerField()
    bank_reference = serializers.CharField()
    result = serializers.CharField()


class BankStatementOut(OutputSerializer):
    """An imported statement."""

    id = SpelledId("bst")
    format = serializers.CharField()
    file_name = serializers.CharField()
    account = serializers.CharField()
    reference = serializers.CharField()
    currency = serializers.CharField()
    entry_count = serializers.IntegerField()
    imported_at = serializers.DateTimeField()


class ImportedOut(OutputSerializer):
    """A statement with what became of its rows; `is_new` is false when the same file was imported before."""

    statement = BankStatementOut()
    is_new = serializers.BooleanField()
    rows = serializers.SerializerMethodField()

    def get_rows(self, imported: Imported) -> list[dict[str, Any]]:
        """Return a result for each row."""
        return [
            {"row": row, "bank_reference": reference, "result": str(result)} for row, reference, result in imported.rows
        ]


class BankEntryOut(OutputSerializer):
    """A booked movement; its amount is below zero when it went out."""

    row = serializers.IntegerField()
    account = serializers.CharField()
    bank_reference = serializers.CharField()
    amount = MoneyOut("amount_minor")
    booked_on = serializers.DateField()
    value_date = serializers.DateField()
    counterparty = serializers.CharField()
    counterparty_account = serializers.CharField()
    remittance = serializers.CharField()
    result = serializers.SerializerMethodField()
    receipt = serializers.SerializerMethodField()

    def get_result(self, entry: Any) -> str:
        """Return whether it is matched, waits, or went out."""
        return str(result_of(entry))

    def get_receipt(self, entry: Any) -> str | None:
        """Return the receipt of what came in."""
        return SpelledId("rcp").to_representation(entry.receipt_id) if entry.receipt_id else None
