"""Invoices and statements as the API shows them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.foundation import ids
from accounts.foundation.errors import Invalid
from accounts.foundation.fields import StrictBoolean, StrictChoice, StrictInteger, StrictText
from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId
from billing.contracts.serializers import PartyOut, PriceOut
from billing.invoices import rules
from billing.invoices.models import Invoice, InvoiceLine
from billing.invoices.rules import InvoiceKind, Resolution, Side
from billing.ledger.serializers import MONEY_SCHEMA, MoneyOut, money
from catalog.measures.errors import MeasureError
from catalog.measures.money import parse_minor
from catalog.measures.units import unit

PERCENT_PPM = 10_000
MAX_LINES = 1_000


class CreditLine(InputSerializer):
    """What is taken back of one line, without tax, in the currency of the invoice."""

    n = StrictInteger(min_value=1, max_value=32_767)
    amount = StrictText(max_length=24)


class CreditInvoice(InputSerializer):
    """What a credit note takes back: the amounts of some lines, or without `lines` all that is left."""

    reason = StrictText(max_length=200)
    lines = serializers.ListField(child=CreditLine(), required=False, min_length=1, max_length=MAX_LINES)
    provider_bears_it = StrictBoolean(required=False, default=False)

    @staticmethod
    def amounts(given: dict[str, Any], *, currency: str) -> dict[int, int] | None:
        """Return the amounts in minor units by line; raises Invalid naming the one that cannot be read."""
        if "lines" not in given:
            return None
        amounts: dict[int, int] = {}
        for place, line in enumerate(given["lines"]):
            if line["n"] in amounts:
                raise Invalid.field(f"/lines/{place}/n", line["n"], "each line once")
            try:
                amounts[line["n"]] = parse_minor(line["amount"], currency)
            except MeasureError as error:
                raise Invalid.field(f"/lines/{place}/amount", line["amount"], f"an amount in {currency}") from error
        return amounts


class DisputeInvoice(InputSerializer):
    """What is wrong with the invoice."""

    reason = StrictText(max_length=500)


class ResolveDispute(InputSerializer):
    """How the dispute ends, and why."""

    resolution = StrictChoice(options=Resolution)
    reason = StrictText(max_length=500)


class AskWriteOff(InputSerializer):
    """Why the claim is given up."""

    reason = StrictText(max_length=500)


@extend_schema_field(MONEY_SCHEMA)
class LineMoneyOut(serializers.Field[Any, Any, dict[str, str] | None, Any]):
    """An amount of a line, in the currency of its document; nothing where the line has no such amount."""

    def __init__(self, amount: str, **options: Any) -> None:
        super().__init__(read_only=True, source="*", **options)
        self.amount = amount

    def to_representation(self, value: Any) -> dict[str, str] | None:
        """Return the amount and its currency."""
        amount_minor = getattr(value, self.amount)
        return None if amount_minor is None else money(amount_minor, value.invoice.currency)


@extend_schema_field({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$", "examples": ["6"]})
class PercentOut(serializers.Field[int, Any, str, Any]):
    """A rate in parts per million as percent: 60,000 are "6"."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, **options)

    def to_representation(self, value: int) -> str:
        """Return the spelling."""
        whole, rest = divmod(value, PERCENT_PPM)
        return f"{whole}.{rest:04d}".rstrip("0").rstrip(".")


class InvoiceLineOut(OutputSerializer):
    """One line: a quantity at a price per base quantity, or a share in percent of an amount of the same document."""

    n = serializers.IntegerField()
    kind = serializers.CharField()
    description = serializers.CharField()
    quantity = serializers.SerializerMethodField()
    unit = serializers.CharField()
    invoice_unit_code = serializers.SerializerMethodField()
    price = PriceOut(source="price_micros", allow_null=True)
    base_quantity = serializers.IntegerField()
    share_of = LineMoneyOut("share_base_minor", allow_null=True)
    amount = LineMoneyOut("amount_minor")
    tax_category = serializers.CharField()
    tax_percent = PercentOut(source="tax_rate_ppm")
    service_start = serializers.DateTimeField()
    service_end = serializers.DateTimeField()
    origin = serializers.JSONField(source="source")

    def get_quantity(self, line: InvoiceLine) -> str:
        """Return the quantity as a decimal without trailing zeros."""
        return f"{line.quantity:f}".rstrip("0").rstrip(".")

    def get_invoice_unit_code(self, line: InvoiceLine) -> str:
        """Return the UN/ECE Recommendation 20 code of the unit (BT-130)."""
        return unit(line.unit).invoice_code


class InvoiceTaxOut(OutputSerializer):
    """The tax of one category and rate, rounded once on the sum of its lines."""

    category = serializers.CharField()
    percent = PercentOut(source="rate_ppm")
    base = LineMoneyOut("base_minor")
    tax = LineMoneyOut("tax_minor")


class InvoiceOut(OutputSerializer):
    """A document without its lines."""

    id = serializers.SerializerMethodField()
    number = serializers.CharField()
    kind = serializers.CharField()
    type_code = serializers.SerializerMethodField()
    reason = serializers.CharField()
    status = serializers.CharField()
    organisation = PartyOut()
    contract = SpelledId("ctr", source="contract_id")
    period_start = serializers.DateTimeField()
    period_end = serializers.DateTimeField()
    net = MoneyOut("net_minor")
    tax = MoneyOut("tax_minor")
    total = MoneyOut("total_minor")
    paid = MoneyOut("paid_minor")
    credited = MoneyOut("credited_minor")
    written_off = MoneyOut("written_off_minor")
    issued_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True)
    paid_at = serializers.DateTimeField(allow_null=True)
    corrects = serializers.SerializerMethodField()
    correction_reason = serializers.CharField()
    synthetic = serializers.BooleanField()

    def get_id(self, invoice: Invoice) -> str:
        """Return the id in the spelling of its side: inv_ or stm_."""
        return ids.spell("inv" if invoice.side == Side.CUSTOMER else "stm", invoice.id)

    def get_corrects(self, invoice: Invoice) -> str | None:
        """Return the number of the document that a credit note takes something back of."""
        return None if invoice.corrects is None else invoice.corrects.number

    def get_type_code(self, invoice: Invoice) -> str:
        """Return the document type of EN 16931 (BT-3): 380 invoice, 381 credit note, 389 self-billed invoice."""
        return rules.TYPE_CODES[InvoiceKind(invoice.kind)]


class OneInvoiceOut(InvoiceOut):
    """A document in full: its parties as of the day of the contract, its lines and its taxes."""

    seller = serializers.JSONField()
    buyer = serializers.JSONField()
    rounding = serializers.CharField()
    digest = serializers.CharField()
    lines = InvoiceLineOut(many=True)
    taxes = InvoiceTaxOut(many=True)
