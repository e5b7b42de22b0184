"""Contracts as the API shows them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.web.serializers import OutputSerializer, SpelledId
from billing.contracts import queries
from billing.contracts.models import Contract, ContractSlot
from billing.ledger.serializers import MONEY_SCHEMA, MoneyOut, money
from catalog.measures.price import format_micros


@extend_schema_field({"type": "string", "pattern": r"^[0-9]+\.[0-9]{6}$", "examples": ["9.000000"]})
class PriceOut(serializers.Field[int, Any, str, Any]):
    """A price in micros as a decimal in a string with six decimals: "9.000000"."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, **options)

    def to_representation(self, value: int) -> str:
        """Return the spelling."""
        return format_micros(value, decimals=6)


class PartyOut(OutputSerializer):
    """An organisation by id and name."""

    id = SpelledId("org")
    name = serializers.CharField()


class ContractSlotOut(OutputSerializer):
    """A run of hours at one quantity and one price per unit-hour."""

    offering = SpelledId("ofr", source="offering_id")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    quantity = serializers.IntegerField()
    unit = serializers.CharField()
    price = PriceOut(source="price_micros")
    return_credit_ppm = serializers.IntegerField(allow_null=True)
    pause_credit_ppm = serializers.IntegerField(allow_null=True)
    resale_commission_ppm = serializers.IntegerField(allow_null=True)
    provider_price = serializers.SerializerMethodField()

    @extend_schema_field({"type": ["string", "null"], "pattern": r"^[0-9]+\.[0-9]{6}$"})
    def get_provider_price(self, slot: ContractSlot) -> str | None:
        """Return what the provider is paid where that is another price, for hours sold back; nothing to the buyer."""
        if slot.provider_price_micros is None:
            return None
        if not queries.sees_providers_side(self.context["request"].auth, slot.contract):
            return None
        return format_micros(slot.provider_price_micros, decimals=6)


class ContractReleaseOut(OutputSerializer):
    """Units that the buyer handed back, from then to then, and the share of their price that was credited."""

    offering = SpelledId("ofr", source="slot.offering_id")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    quantity = serializers.IntegerField()
    credit_ppm = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class ContractPauseOut(ContractReleaseOut):
    """Units that the buyer does without, from then to then, and the share of their price that is credited.

    `resumes_at` is from when on they are taken up again, where that is before the end.
    """

    resumes_at = serializers.DateTimeField(source="resumption.resumes_at", default=None)


class ContractResaleOut(OutputSerializer):
    """Units that the buyer sold back, from then to then, the price of the round, and what the exchange keeps of it."""

    offering = SpelledId("ofr", source="slot.offering_id")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    quantity = serializers.IntegerField()
    price = PriceOut(source="price_micros")
    commission_ppm = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class ContractOut(OutputSerializer):
    """A contract without its schedule and terms."""

    id = SpelledId("ctr")
    status = serializers.CharField()
    terminated_reason = serializers.CharField()
    buyer = PartyOut()
    provider = PartyOut()
    market = serializers.CharField(source="market_code")
    merchant_of_record = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    value = MoneyOut("value_minor")
    terms_digest = serializers.CharField()
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    settled_at = serializers.DateTimeField(allow_null=True)


class OneContractOut(ContractOut):
    """A contract with its price schedule and its terms, as far as they concern the caller's side."""

    project = serializers.SerializerMethodField()
    held = serializers.SerializerMethodField()
    slots = ContractSlotOut(many=True)
    releases = ContractReleaseOut(many=True)
    pauses = ContractPauseOut(many=True)
    resales = ContractResaleOut(many=True)
    terms = serializers.SerializerMethodField()

    @extend_schema_field({"type": ["string", "null"]})
    def get_project(self, contract: Contract) -> str | None:
        """Return the buyer's project; nothing to the provider."""
        if not queries.sees_buyers_side(self.context["request"].auth, contract):
            return None
        return SpelledId("prj").to_representation(contract.project_id)

    @extend_schema_field({"oneOf": [MONEY_SCHEMA, {"type": "null"}]})
    def get_held(self, contract: Contract) -> dict[str, str] | None:
        """Return what is left of the contract's share of the hold; nothing to the provider."""
        if not queries.sees_buyers_side(self.context["request"].auth, contract):
            return None
        return money(contract.held_minor, contract.currency)

    @extend_schema_field({"type": "object", "additionalProperties": True})
    def get_terms(self, contract: Contract) -> dict[str, Any]:
        """Return the terms that the caller's side agreed to."""
        return queries.terms_seen_by(self.context["request"].auth, contract)
