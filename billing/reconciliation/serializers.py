"""Shapes of what does not match."""

from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.foundation import ids
from accounts.foundation.fields import StrictChoice, StrictText, TypedId
from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId
from billing.journals.rules import JournalKind
from billing.journals.serializers import EntryInput, JournalOut
from billing.ledger.serializers import MONEY_SCHEMA, MoneyOut, money
from billing.periods.serializers import CheckOut
from billing.reconciliation.models import Break, BreakNote
from billing.reconciliation.rules import Item

# Subjects that have a page or a resource of their own, and the prefix of their ids.
PREFIXES: Final = {
    "top_up": "top",
    "bank_receipt": "rcp",
    "contract": "ctr",
    "invoice": "inv",
    "statement": "stm",
    "ledger_transaction": "txn",
    "payout": "pyt",
}


class ItemOut(OutputSerializer):
    """One thing that does not match, and its likely cause."""

    kind = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)
    cause = serializers.CharField()
    count = serializers.IntegerField()
    subject = serializers.SerializerMethodField()
    organisation = serializers.SerializerMethodField()
    organisation_name = serializers.CharField()
    amount = serializers.SerializerMethodField()

    def get_subject(self, item: Item) -> str | None:
        """Return the id of what it is about, where that can be looked up."""
        prefix = PREFIXES.get(item.subject_type)
        return ids.spell(prefix, item.subject_id) if prefix and item.subject_id else None

    def get_organisation(self, item: Item) -> str | None:
        """Return whose it is, where that is known."""
        return ids.spell("org", item.organisation_id) if item.organisation_id else None

    @extend_schema_field({"oneOf": [MONEY_SCHEMA, {"type": "null"}]})
    def get_amount(self, item: Item) -> dict[str, Any] | None:
        """Return what is at stake, where it is an amount."""
        return None if item.amount_minor is None else money(item.amount_minor, item.currency)


class ReportOut(OutputSerializer):
    """A usage report that was not taken: why, where in it, and what it said."""

    code = serializers.CharField()
    detail = serializers.CharField()
    pointer = serializers.CharField()
    payload = serializers.CharField()
    received_at = serializers.DateTimeField()


class UnmatchedOut(OutputSerializer):
    """Everything that does not match; `cut_kinds` have more items than are shown."""

    at = serializers.DateTimeField()
    data = ItemOut(many=True, source="items")  # type: ignore[assignment]  # a field here, not the property
    cut_kinds = serializers.ListField(child=serializers.CharField())


class RunOut(OutputSerializer):
    """One look at everything: what it found, and what of it was new, settled before, or gone since."""

    id = SpelledId("run")
    at = serializers.DateTimeField()
    found = serializers.IntegerField(source="found_count")
    new = serializers.IntegerField(source="new_count")
    settled = serializers.IntegerField(source="settled_count")
    vanished = serializers.IntegerField(source="vanished_count")
    cut_kinds = serializers.ListField(child=serializers.CharField())


class Say(InputSerializer):
    """Words."""

    text = StrictText(max_length=1000, multiline=True)


class Explain(InputSerializer):
    """Why a break is none, or why its difference is gone."""

    explanation = StrictText(max_length=500)


class Assign(InputSerializer):
    """Whose the break is; nobody's without `owner`."""

    owner = TypedId("usr", required=False)


class Settle(InputSerializer):
    """The entry that settles a break, of the break's amount and currency."""

    kind = StrictChoice(options=JournalKind)
    reason = StrictText(max_length=500)
    lines = EntryInput(many=True)


class NoteOut(OutputSerializer):
    """A line of a break's thread; what a run saw has no author."""

    kind = serializers.CharField()
    text = serializers.CharField()
    author = serializers.SerializerMethodField()
    at = serializers.DateTimeField()

    def get_author(self, note: BreakNote) -> str | None:
        """Return who wrote it."""
        return note.author.display_name if note.author else None


class BreakOut(OutputSerializer):
    """A difference that somebody has to deal with. Since `difference_gone_at` a run does not find it any more."""

    id = SpelledId("brk")
    kind = serializers.CharField()
    status = serializers.CharField()
    since = serializers.DateTimeField()
    cause = serializers.CharField()
    count = serializers.IntegerField()
    subject = serializers.SerializerMethodField()
    organisation = serializers.SerializerMethodField()
    organisation_name = serializers.SerializerMethodField()
    amount = serializers.SerializerMethodField()
    owner = serializers.SerializerMethodField()
    difference_gone_at = serializers.DateTimeField(allow_null=True)
    explanation = serializers.CharField()
    resolved_by = serializers.SerializerMethodField()
    resolved_at = serializers.DateTimeField(allow_null=True)

    def get_subject(self, row: Break) -> str | None:
        """Return the id of what it is about, where that can be looked up."""
        prefix = PREFIXES.get(row.subject_type)
        return ids.spell(prefix, row.subject_id) if prefix and row.subject_id else None

    def get_organisation(self, row: Break) -> str | None:
        """Return whose it is, where that is known."""
        return ids.spell("org", row.organisation_id) if row.organisation_id else None

    def get_organisation_name(self, row: Break) -> str:
        """Return the name of whose it is."""
        return row.organisation.name if row.organisation else ""

    @extend_schema_field({"oneOf": [MONEY_SCHEMA, {"type": "null"}]})
    def get_amount(self, row: Break) -> dict[str, Any] | None:
        """Return what is at stake, where it is an amount."""
        return None if row.amount_minor is None else money(row.amount_minor, row.currency)

    def get_owner(self, row: Break) -> str | None:
        """Return the name of who works on it."""
        return row.owner.display_name if row.owner else None

    def get_resolved_by(self, row: Break) -> str | None:
        """Return who closed it."""
        return row.resolved_by.display_name if row.resolved_by else None


class OneBreakOut(BreakOut):
    """A break with its thread and the entry that would settle it, or has."""

    journal = JournalOut(allow_null=True)
    notes = NoteOut(many=True)


class ClearingLineOut(OutputSerializer):
    """What stands on an account that must come back to zero; a debit is positive."""

    code = serializers.CharField()
    name = serializers.CharField()
    balance = MoneyOut("balance_minor")
    since = serializers.DateTimeField(allow_null=True)
    age_days = serializers.IntegerField()
    allowed_days = serializers.IntegerField()
    is_overdue = serializers.BooleanField()


class ClearingOut(OutputSerializer):
    """Every clearing account that has been used, by code and currency."""

    data = ClearingLineOut(many=True)  # type: ignore[assignment]  # a field here, not the property


class ChecklistOut(OutputSerializer):
    """What the close of a month asks for, as it stands at this moment."""

    month = serializers.CharField()
    is_closed = serializers.BooleanField()
    may_close = serializers.BooleanField()
    checks = CheckOut(many=True)
