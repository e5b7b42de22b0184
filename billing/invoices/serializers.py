"""Invoices and statements as the API shows them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.foundation import ids
from accounts.web.serializers import OutputSerializer, SpelledId
from billing.contracts.serializers import PartyOut, PriceOut
from billing.invoices import rules
from billing.invoices.models import Invoice, InvoiceLine
from billing.invoices.rules import InvoiceKind, Side
from billing.ledger.serializers import MONEY_SCHEMA, MoneyOut, money
from catalog.measures.units import unit

PERCENT_PPM = 10_000


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
    issued_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True)
    paid_at = serializers.DateTimeField(allow_null=True)
    synthetic = serializers.BooleanField()

    def get_id(self, invoice: Invoice) -> str:
        """Return the id in the spelling of its side: inv_ or stm_."""
        return ids.spell("inv" if invoice.side == Side.CUSTOMER else "stm", invoice.id)

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
