"""Shapes of money, and of the books as the API shows them."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.foundation.errors import mismatch
from accounts.foundation.fields import StrictChoice, StrictText
from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId
from billing.ledger.chart import CHART, Code
from billing.ledger.models import Account, Hold, LedgerEntry
from billing.ledger.queries import TrialBalance
from catalog.measures.errors import MeasureError
from catalog.measures.money import EXPONENTS, Money, format_minor, parse_minor

MONEY_SCHEMA = {
    "type": "object",
    "required": ["amount", "currency"],
    "properties": {
        "amount": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$", "examples": ["12.00"]},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["CNY"]},
    },
}


def money(amount_minor: int, currency: str) -> dict[str, str]:
    """Return an amount as the API spells it: `{"amount": "12.00", "currency": "CNY"}`."""
    return {"amount": format_minor(amount_minor, currency), "currency": currency}


@extend_schema_field(MONEY_SCHEMA)
class MoneyOut(serializers.Field[Any, Any, dict[str, str], Any]):
    """The amount in a `*_minor` attribute with the object's `currency`: `balance = MoneyOut("balance_minor")`."""

    def __init__(self, amount: str, *, currency: str = "currency", negated: bool = False, **options: Any) -> None:
        super().__init__(read_only=True, source="*", **options)
        self.amount = amount
        self.currency = currency
        self.negated = negated  # shows a liability from the side of whom it is owed to

    def to_representation(self, value: Any) -> dict[str, str]:
        """Return the amount and its currency."""
        amount_minor = getattr(value, self.amount)
        return money(-amount_minor if self.negated else amount_minor, getattr(value, self.currency))


class _AmountText(StrictText):
    def schema(self) -> dict[str, Any]:
        """Return how amounts are spelled; how many decimals there may be depends on the currency."""
        return {"type": "string", "pattern": r"^[0-9]{1,16}(\.[0-9]{1,3})?$", "examples": ["12.00"]}


class MoneyInput(InputSerializer):
    """An amount above zero, or from `min_minor` on, given on as Money."""

    amount = _AmountText(max_length=24)
    currency = StrictChoice(options=EXPONENTS)

    def __init__(self, *, max_minor: int, min_minor: int = 1, **options: Any) -> None:
        super().__init__(**options)
        self.max_minor = max_minor
        self.min_minor = min_minor

    def validate(self, attrs: Mapping[str, str]) -> Money:
        """Return the amount; a text that is none, or out of bounds, is a problem of `amount`."""
        text, currency = attrs["amount"], attrs["currency"]
        try:
            amount = Money(parse_minor(text, currency), currency)
        except MeasureError as error:
            raise serializers.ValidationError({"amount": [f"{error}"]}) from error
        if not self.min_minor <= amount.amount_minor <= self.max_minor:
            bounds = (
                f"an amount from {format_minor(self.min_minor, currency)} to {format_minor(self.max_minor, currency)}"
            )
            raise serializers.ValidationError({"amount": [mismatch(text, bounds)]})
        return amount


class FundsOut(OutputSerializer):
    """A wallet from its owner's side."""

    currency = serializers.CharField()
    balance = MoneyOut("balance_minor")
    held = MoneyOut("held_minor")
    available = MoneyOut("available_minor")
    credit_limit = MoneyOut("credit_limit_minor")
    overdraft = MoneyOut("overdraft_minor")


class WalletOut(OutputSerializer):
    """The funds of an organisation, in each currency that it has any in."""

    organisation = SpelledId("org")
    funds = FundsOut(many=True)


class LedgerEntryOut(OutputSerializer):
    """One entry with what it was posted for. Debits are positive."""

    transaction = SpelledId("txn", source="transaction_id")
    account = serializers.SerializerMethodField()
    amount = MoneyOut("amount_minor")
    balance_after = MoneyOut("balance_after_minor")
    source_type = serializers.CharField(source="transaction.source_type")
    purpose = serializers.CharField(source="transaction.purpose")
    memo = serializers.CharField(source="transaction.memo")
    effective_at = serializers.DateTimeField(source="transaction.effective_at")
    posted_at = serializers.DateTimeField(source="transaction.posted_at")

    @extend_schema_field(
        {
            "type": "object",
            "required": ["code", "name", "organisation"],
            "properties": {
                "code": {"type": "string"},
                "name": {"type": "string"},
                "organisation": {"type": ["string", "null"]},
            },
        }
    )
    def get_account(self, entry: LedgerEntry) -> dict[str, str | None]:
        """Return the account's code, its name in the chart and whose it is."""
        return account(entry.account)


def account(row: Account) -> dict[str, str | None]:
    """Return an account as the API names it."""
    owner = SpelledId("org").to_representation(row.organisation_id) if row.organisation_id else None
    return {"code": row.code, "name": CHART[Code(row.code)].name, "organisation": owner}


class HoldOut(OutputSerializer):
    """Funds set aside: what is held now, and what became of the rest."""

    id = SpelledId("hld")
    organisation = SpelledId("org", source="organisation_id")
    project = SpelledId("prj", source="project_id")
    status = serializers.SerializerMethodField()
    source_type = serializers.CharField()
    amount = MoneyOut("amount_minor")
    original = MoneyOut("original_minor")
    grown = MoneyOut("grown_minor")
    captured = MoneyOut("captured_minor")
    released = MoneyOut("released_minor")
    created_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)

    def get_status(self, hold: Hold) -> str:
        """Return whether anything is still held."""
        return hold.status.value


class TrialBalanceRowOut(OutputSerializer):
    """One code of the chart."""

    code = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    accounts = serializers.IntegerField()
    debit = serializers.CharField()
    credit = serializers.CharField()
    balance = serializers.CharField()


class TrialBalanceOut(OutputSerializer):
    """The books in one currency; `balanced` or something is broken. Amounts are in `currency`."""

    currency = serializers.CharField()
    rows = TrialBalanceRowOut(many=True)
    debit = serializers.CharField()
    credit = serializers.CharField()
    balanced = serializers.BooleanField()

    def to_representation(self, instance: TrialBalance) -> dict[str, Any]:
        """Return the balance with its amounts spelled in the one currency it is in."""

        def spelled(amount_minor: int) -> str:
            return format_minor(amount_minor, instance.currency)

        return {
            "currency": instance.currency,
            "rows": [
                {
                    "code": row.code.value,
                    "name": row.name,
                    "kind": row.kind.value,
                    "accounts": row.accounts,
                    "debit": spelled(row.debit_minor),
                    "credit": spelled(row.credit_minor),
                    "balance": spelled(row.balance_minor),
                }
                for row in instance.rows
            ],
            "debit": spelled(instance.debit_minor),
            "credit": spelled(instance.credit_minor),
            "balanced": instance.difference_minor == 0,
        }
