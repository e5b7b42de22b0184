"""Shapes of titles, fapiao and their records."""

from typing import Any

from rest_framework import serializers

from accounts.foundation.fields import StrictChoice, StrictDate, StrictText, TypedId
from accounts.foundation.ids import spell
from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId
from billing.contracts.serializers import PartyOut
from billing.fapiao.models import Fapiao, FapiaoPart
from billing.fapiao.rules import CURRENCY, MAX_FILE_BYTES, MAX_INVOICES, Kind, RedCause
from billing.invoices.serializers import PercentOut
from billing.ledger.serializers import MoneyOut, money
from catalog.measures.errors import MeasureError
from catalog.measures.money import parse_minor


class NewTitle(InputSerializer):
    """What fapiao shall say of the organisation; a special one needs every field."""

    name = StrictText(max_length=100)
    tax_id = StrictText(max_length=18, required=False)
    address = StrictText(max_length=200, required=False)
    phone = StrictText(max_length=40, required=False)
    bank_name = StrictText(max_length=100, required=False)
    bank_account = StrictText(max_length=40, required=False)


class TitleOut(OutputSerializer):
    """A title (抬头)."""

    id = SpelledId("ftl")
    name = serializers.CharField()
    tax_id = serializers.CharField()
    address = serializers.CharField()
    phone = serializers.CharField()
    bank_name = serializers.CharField()
    bank_account = serializers.CharField()
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class AskFapiao(InputSerializer):
    """One fapiao over invoices of one seller: all of each, less what was credited."""

    title = TypedId("ftl")
    kind = StrictChoice(options=Kind)
    invoices = serializers.ListField(child=TypedId("inv"), min_length=1, max_length=MAX_INVOICES)


class RecordFapiao(InputSerializer):
    """What the tax bureau's platform issued; the total is repeated so that a slip of the hand is seen."""

    number = StrictText(max_length=20)
    issued_on = StrictDate()
    total = StrictText(max_length=24)
    file_url = StrictText(max_length=500, required=False)
    file_sha256 = StrictText(max_length=64, required=False)

    def validate_total(self, text: str) -> int:
        """Return the amount in fen, below zero on a red letter."""
        try:
            return parse_minor(text.removeprefix("-"), CURRENCY) * (-1 if text.startswith("-") else 1)
        except MeasureError as error:
            raise serializers.ValidationError(str(error)) from error


class RefuseFapiao(InputSerializer):
    """Why it is not issued."""

    reason = StrictText(max_length=200)


class RedLetter(InputSerializer):
    """Over a mistake: of some invoices or of all that is left. Over credit notes: those that were refused, again."""

    cause = StrictChoice(options=[cause for cause in RedCause if cause])
    reason = StrictText(max_length=200, required=False)
    invoices = serializers.ListField(child=TypedId("inv"), min_length=1, max_length=MAX_INVOICES, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for a reason where a person makes the choice, and for nothing else where a credit note made it."""
        is_mistake = attrs["cause"] is RedCause.MISTAKE
        if is_mistake and "reason" not in attrs:
            raise serializers.ValidationError({"reason": ["Nothing was given; expected what the mistake was."]})
        if not is_mistake and set(attrs) != {"cause"}:
            field = "reason" if "reason" in attrs else "invoices"
            said = "A credit note says this itself; expected the cause alone."
            raise serializers.ValidationError({field: [said]})
        return attrs


class RecordRows(InputSerializer):
    """A CSV with fapiao, number, issued_on, total and, if you like, file_url and file_sha256."""

    content = StrictText(max_length=MAX_FILE_BYTES, multiline=True)


class FapiaoOut(OutputSerializer):
    """A fapiao without its parts; `number` is the tax bureau's, empty until it is issued."""

    id = SpelledId("fap")
    organisation = PartyOut()
    kind = serializers.CharField()
    status = serializers.CharField()
    number = serializers.CharField()
    issued_on = serializers.DateField(allow_null=True)
    net = MoneyOut("net_minor")
    tax = MoneyOut("tax_minor")
    total = MoneyOut("total_minor")
    reversed = MoneyOut("reversed_minor")
    red_of = serializers.SerializerMethodField()
    red_cause = serializers.CharField()
    reason = serializers.CharField()
    refusal = serializers.CharField()
    requested_at = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField(allow_null=True)
    file_url = serializers.CharField()
    file_sha256 = serializers.CharField()
    issuer_problem = serializers.SerializerMethodField()

    def get_red_of(self, fapiao: Fapiao) -> str | None:
        """Return the fapiao that a red letter takes back."""
        return None if fapiao.red_of_id is None else spell("fap", fapiao.red_of_id)

    def get_issuer_problem(self, fapiao: Fapiao) -> str:
        """Return why the issuing service has not answered yet; empty when nothing is wrong."""
        return fapiao.call.problem if hasattr(fapiao, "call") else ""


class FapiaoTaxOut(OutputSerializer):
    """The net and tax of one category and rate."""

    category = serializers.CharField()
    percent = PercentOut(source="rate_ppm")
    base = serializers.SerializerMethodField()
    tax = serializers.SerializerMethodField()

    def get_base(self, row: Any) -> dict[str, str]:
        """Return what is taxed."""
        return money(row.base_minor, CURRENCY)

    def get_tax(self, row: Any) -> dict[str, str]:
        """Return the tax on it."""
        return money(row.tax_minor, CURRENCY)


class FapiaoPartOut(OutputSerializer):
    """A document that a fapiao is over; while it is live it is on no other."""

    document = serializers.SerializerMethodField()
    document_number = serializers.CharField(source="document.number")
    total = serializers.SerializerMethodField()
    is_live = serializers.BooleanField()

    def get_document(self, part: FapiaoPart) -> str:
        """Return the invoice or credit note."""
        return spell("inv", part.document_id)

    def get_total(self, part: FapiaoPart) -> dict[str, str]:
        """Return what of the fapiao is the document's."""
        return money(part.total_minor, CURRENCY)


class OneFapiaoOut(FapiaoOut):
    """A fapiao with its title, documents, taxes and red letters."""

    title = TitleOut()
    parts = FapiaoPartOut(many=True)
    taxes = FapiaoTaxOut(many=True)
    red_letters = serializers.SerializerMethodField()

    def get_red_letters(self, fapiao: Fapiao) -> list[str]:
        """Return the red letters that take it back."""
        return [spell("fap", red.id) for red in sorted(fapiao.red_letters.all(), key=lambda red: red.id)]


class OutstandingOut(OutputSerializer):
    """A document whose fapiao is not issued, or a credit note that lacks its red letter."""

    id = SpelledId("inv")
    number = serializers.CharField()
    organisation = PartyOut()
    kind = serializers.CharField()
    total = MoneyOut("total_minor")
    issued_at = serializers.DateTimeField()
