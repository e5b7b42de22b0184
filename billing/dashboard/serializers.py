"""Shapes of the dashboard."""

from typing import Any

from rest_framework import serializers

from accounts.web.serializers import OutputSerializer
from billing.dashboard.queries import Figures
from catalog.measures.money import format_minor


class NamedAmountOut(OutputSerializer):
    """A named amount in the currency of the figures, and of how many things it is made where that is known."""

    name = serializers.CharField()
    amount = serializers.CharField()
    count = serializers.IntegerField(allow_null=True)


class BlockOut(OutputSerializer):
    """Amounts that belong together; `ledger` is the same sum as the books have it, where they have it."""

    amounts = NamedAmountOut(many=True)
    total = serializers.CharField()
    ledger = serializers.CharField(allow_null=True)


BLOCKS = ("cash", "to_buyers", "to_providers", "fees", "margin", "receivables", "payables", "breaks", "unbilled")


class FiguresOut(OutputSerializer):
    """Finance at an instant, in one currency."""

    at = serializers.DateTimeField()
    currency = serializers.CharField()
    cash = BlockOut()
    to_buyers = BlockOut()
    to_providers = BlockOut()
    fees = BlockOut()
    margin = BlockOut()
    receivables = BlockOut()
    payables = BlockOut()
    breaks = BlockOut()
    unbilled = BlockOut()

    def to_representation(self, instance: Figures) -> dict[str, Any]:
        """Return the blocks with their amounts spelled in the one currency they are in."""

        def spelled(amount_minor: int) -> str:
            return format_minor(amount_minor, instance.currency)

        found: dict[str, Any] = {"at": self.fields["at"].to_representation(instance.at), "currency": instance.currency}
        for name in BLOCKS:
            block = getattr(instance, name)
            found[name] = {
                "amounts": [
                    {"name": row.name, "amount": spelled(row.amount_minor), "count": row.count} for row in block.amounts
                ],
                "total": spelled(block.total_minor),
                "ledger": None if block.ledger_minor is None else spelled(block.ledger_minor),
            }
        return found
