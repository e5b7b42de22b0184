"""Shapes of entries by hand."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from accounts.foundation import ids
from accounts.foundation.errors import mismatch
from accounts.foundation.fields import StrictChoice, StrictDateTime, StrictText, TypedId
from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId
from billing.journals.models import JournalLine, ManualJournal
from billing.journals.rules import Entry, JournalKind
from billing.ledger.chart import CHART, Code
from billing.ledger.rules import MAX_AMOUNT_MINOR
from billing.ledger.serializers import money
from catalog.measures.errors import MeasureError
from catalog.measures.money import EXPONENTS, parse_minor


class _SignedAmount(StrictText):
    def schema(self) -> dict[str, Any]:
        """Return how amounts with a sign are spelled."""
        return {"type": "string", "pattern": r"^-?[0-9]{1,16}(\.[0-9]{1,3})?$", "examples": ["12.00", "-12.00"]}


class EntryInput(InputSerializer):
    """One line: a debit is positive, a credit negative. Accounts of organisations name theirs."""

    code = StrictChoice(options=Code)
    amount = _SignedAmount(max_length=24)
    organisation = TypedId("org", required=False)


class ProposeJournal(InputSerializer):
    """An entry by hand: two lines or more that sum to zero."""

    kind = StrictChoice(options=JournalKind, required=False, default=JournalKind.ADJUSTMENT)
    currency = StrictChoice(options=EXPONENTS)
    effective_at = StrictDateTime()
    reason = StrictText(max_length=500)
    lines = EntryInput(many=True)

    def validate(self, attrs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the entries with their amounts in minor units."""
        return {**attrs, "lines": entries(attrs["lines"], attrs["currency"])}


def entries(lines: list[dict[str, Any]], currency: str) -> list[Entry]:
    """Return the lines as entries in minor units; an amount that is none is a problem of its line."""
    found, problems = [], []
    for line in lines:
        try:
            amount = parse_minor(line["amount"], currency)
        except MeasureError as error:
            problems.append({"amount": [str(error)]})
            continue
        if abs(amount) > MAX_AMOUNT_MINOR:
            problems.append({"amount": [mismatch(line["amount"], "an amount of at most sixteen digits")]})
            continue
        problems.append({})
        found.append(Entry(line["code"], amount, line.get("organisation")))
    if any(problems):
        raise serializers.ValidationError({"lines": problems})
    return found


class JournalLineOut(OutputSerializer):
    """One account's part; a debit is positive."""

    code = serializers.CharField()
    name = serializers.SerializerMethodField()
    organisation = serializers.SerializerMethodField()
    amount = serializers.SerializerMethodField()

    def get_name(self, line: JournalLine) -> str:
        """Return what the code stands for."""
        return CHART[Code(line.code)].name

    def get_organisation(self, line: JournalLine) -> str | None:
        """Return whose account it is."""
        return ids.spell("org", line.organisation_id) if line.organisation_id else None

    def get_amount(self, line: JournalLine) -> dict[str, str]:
        """Return the amount in the entry's currency."""
        return money(line.amount_minor, line.journal.currency)


class JournalOut(OutputSerializer):
    """An entry by hand, and where it stands."""

    id = SpelledId("jrn")
    kind = serializers.CharField()
    status = serializers.CharField()
    currency = serializers.CharField()
    effective_at = serializers.DateTimeField()
    reason = serializers.CharField()
    settles = serializers.SerializerMethodField()
    lines = JournalLineOut(many=True)
    proposed_by = serializers.CharField(source="proposed_by.display_name")
    proposed_at = serializers.DateTimeField()
    decided_by = serializers.SerializerMethodField()
    decided_at = serializers.DateTimeField(allow_null=True)
    transaction = serializers.SerializerMethodField()

    def get_settles(self, journal: ManualJournal) -> str | None:
        """Return the break that it settles."""
        return ids.spell("brk", journal.subject_id) if journal.subject_id else None

    def get_decided_by(self, journal: ManualJournal) -> str | None:
        """Return who posted or declined it."""
        return journal.decided_by.display_name if journal.decided_by else None

    def get_transaction(self, journal: ManualJournal) -> str | None:
        """Return the posting."""
        return ids.spell("txn", journal.transaction_id) if journal.transaction_id else None
