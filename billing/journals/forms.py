"""What a person types to propose an entry: one account to debit, one to credit, and why."""

from decimal import Decimal
from typing import Any, ClassVar, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import Organisation
from accounts.web.forms import DeskTime, PlainDecimal, StrictForm, StrictText
from billing.journals.rules import Entry
from billing.ledger.chart import CHART, Code
from billing.payments.forms import money

ACCOUNTS: Final = [(code.value, f"{code.value} {line.name}") for code, line in CHART.items()]
_SMALLEST: Final = Decimal("0.01")


class _OwnerField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not subscriptable at run time
    """The organisation that an account belongs to, or none."""

    def __init__(self, **options: Any) -> None:
        super().__init__(queryset=None, required=False, empty_label=_("none: the exchange's own account"), **options)

    def label_from_instance(self, obj: Organisation) -> str:
        """Return its name."""
        return obj.name


class EntryForm(StrictForm):
    """Two lines of one amount."""

    fields_by_pointer: ClassVar = {
        "/lines/0/organisation": "debit_owner",
        "/lines/0/code": "debit",
        "/lines/1/organisation": "credit_owner",
        "/lines/1/code": "credit",
        "/lines/0/amount": "amount",
        "/lines/1/amount": "amount",
    }

    amount = PlainDecimal(label=_("Amount"), max_digits=14, decimal_places=3, minimum=_SMALLEST)
    debit = forms.ChoiceField(label=_("Debit"), choices=ACCOUNTS)
    debit_owner = _OwnerField(label=_("Whose account is debited"))
    credit = forms.ChoiceField(label=_("Credit"), choices=ACCOUNTS)
    credit_owner = _OwnerField(label=_("Whose account is credited"))
    reason = StrictText(label=_("Reason"), max_length=500)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("debit_owner", "credit_owner"):
            self.offer_rows(name, Organisation.objects.order_by("name"))

    def entries(self, currency: str) -> list[Entry]:
        """Return the lines that the valid form says; raises Invalid when the currency has no coins so small."""
        said = self.cleaned_data
        amount = money(said["amount"], currency).amount_minor
        debit_owner, credit_owner = said["debit_owner"], said["credit_owner"]
        return [
            Entry(Code(said["debit"]), amount, debit_owner.id if debit_owner else None),
            Entry(Code(said["credit"]), -amount, credit_owner.id if credit_owner else None),
        ]


class JournalForm(EntryForm):
    """An entry on its own, with when it counts."""

    effective_at = DeskTime(label=_("Counts from"), help_text=_("Asia/Shanghai"))

    field_order = ["effective_at"]
