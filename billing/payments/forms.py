"""What a person types to announce a top-up, and to enter what the bank shows."""

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.foundation import strict
from accounts.foundation.errors import FieldProblem, Invalid
from accounts.web.forms import NamedChoiceField, PlainDecimal, StrictForm, StrictText
from billing.payments.models import TopUp
from billing.payments.rules import BankLine
from catalog.measures.errors import MeasureError
from catalog.measures.money import Money, to_minor
from catalog.templatetags import measures

_SMALLEST = Decimal("0.01")


def money(amount: Decimal, currency: str) -> Money:
    """Return a typed amount as money; raises Invalid when the currency has no coins so small."""
    try:
        return Money(to_minor(amount, currency), currency)
    except MeasureError as error:
        raise Invalid(str(error), [FieldProblem("/amount", str(error))]) from error


class TopUpForm(StrictForm):
    """How much will come by bank transfer."""

    amount = PlainDecimal(label=_("Amount"), max_digits=12, decimal_places=2, minimum=_SMALLEST)


class BankLineForm(StrictForm):
    """A credit as the bank's statement shows it."""

    fields_by_pointer: ClassVar = {"/amount": "amount", "/bank_reference": "bank_reference"}

    bank_reference = StrictText(label=_("The bank's transaction id"), max_length=64)
    amount = PlainDecimal(label=_("Amount received"), max_digits=12, decimal_places=2, minimum=_SMALLEST)
    value_date = StrictText(
        label=_("Value date"), max_length=10, read=strict.calendar_date, widget=forms.DateInput(attrs={"type": "date"})
    )
    payer = StrictText(label=_("Payer"), max_length=200)
    remittance = StrictText(label=_("Payer's text"), max_length=200, required=False)

    def line(self, currency: str) -> BankLine:
        """The bank's line that the valid form says."""
        said = self.cleaned_data
        return BankLine(
            bank_reference=said["bank_reference"],
            amount=money(said["amount"], currency),
            value_date=said["value_date"],
            payer=said["payer"],
            remittance=said["remittance"] or "",
        )


class _TopUpField(NamedChoiceField):
    """A choice among top-ups, shown by reference and organisation."""

    def label_from_instance(self, obj: TopUp) -> str:
        """Return what a clerk compares with the payer's text."""
        return f"{obj.reference}, {obj.organisation.name}"


class MatchForm(StrictForm):
    """Which awaiting top-up a receipt belongs to."""

    top_up = _TopUpField(label=_("Top-up"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, candidates: QuerySet[TopUp], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer_rows("top_up", candidates)


class _TopUpsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # not subscriptable at run time
    """A choice of several top-ups, shown by what a clerk adds up."""

    def label_from_instance(self, obj: TopUp) -> str:
        """Return the amount as well."""
        return f"{obj.reference}, {obj.organisation.name}, {measures.money(obj.amount_minor, obj.currency)}"


class SplitForm(StrictForm):
    """The top-ups that came together in one transfer."""

    top_ups = _TopUpsField(label=_("Top-ups"), queryset=None, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, candidates: QuerySet[TopUp], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer_rows("top_ups", candidates)


class GiveBackForm(StrictForm):
    """Why money was sent back to its payer."""

    reason = StrictText(label=_("Reason"), max_length=200)
