"""The shape of a row of our Stripe balance."""

from rest_framework import serializers

from accounts.web.serializers import OutputSerializer
from billing.ledger.serializers import MoneyOut


class BalanceTransactionOut(OutputSerializer):
    """A row of the Stripe balance; `reporting_category` is what accounting goes by."""

    stripe_id = serializers.CharField()
    amount = MoneyOut("amount_minor")
    fee = MoneyOut("fee_minor")
    net = MoneyOut("net_minor")
    reporting_category = serializers.CharField()
    source_id = serializers.CharField()
    status = serializers.CharField()
    payout_id = serializers.CharField()
    available_on = serializers.DateTimeField()
    created_at = serializers.DateTimeField()
