"""What a person types about fapiao."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.foundation import strict
from accounts.web.forms import NamedChoiceField, PlainDecimal, StrictForm, StrictText
from accounts.web.uploads import TextFileForm
from billing.fapiao.models import FapiaoTitle
from billing.fapiao.rules import MAX_FILE_BYTES, Kind
from billing.invoices.models import Invoice
from catalog.templatetags import measures

KINDS = ((Kind.ORDINARY.value, _("Ordinary (普通发票)")), (Kind.SPECIAL.value, _("Special (专用发票)")))


class TitleForm(StrictForm):
    """What fapiao shall say of the organisation."""

    name = StrictText(label=_("Name (名称)"), max_length=100)
    tax_id = StrictText(label=_("Tax id (税号)"), max_length=18, required=False)
    address = StrictText(label=_("Address (地址)"), max_length=200, required=False)
    phone = StrictText(label=_("Phone (电话)"), max_length=40, required=False)
    bank_name = StrictText(label=_("Bank (开户银行)"), max_length=100, required=False)
    bank_account = StrictText(label=_("Account (账号)"), max_length=40, required=False)

    def said(self) -> dict[str, str]:
        """Return the valid form's values, empty ones as empty texts."""
        return {name: value or "" for name, value in self.cleaned_data.items()}


class _Invoices(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # not subscriptable at run time
    def label_from_instance(self, obj: Any) -> str:
        """Return the invoice as its buyer knows it."""
        return f"{obj.number}: {measures.money(obj.total_minor, obj.currency)}"


class AskForm(StrictForm):
    """One fapiao over some invoices."""

    title = NamedChoiceField(label=_("Title (抬头)"))
    kind = forms.ChoiceField(label=_("Kind"), choices=KINDS)
    invoices = _Invoices(label=_("Invoices"), queryset=None, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, titles: QuerySet[FapiaoTitle], invoices: QuerySet[Invoice], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer_rows("title", titles)
        self.offer_rows("invoices", invoices)


class RecordForm(StrictForm):
    """What the tax bureau's platform issued."""

    number = StrictText(label=_("Number (20 digits)"), max_length=20)
    issued_on = StrictText(label=_("Issued on, such as 2026-05-01"), max_length=10, read=strict.calendar_date)
    total = PlainDecimal(label=_("Total with tax, below zero on a red letter"), max_digits=14, decimal_places=2)
    file_url = StrictText(label=_("Address of the file"), max_length=500, required=False)
    file_sha256 = StrictText(label=_("SHA-256 of the file"), max_length=64, required=False)

    def total_minor(self) -> int:
        """Return the valid form's total in fen."""
        return int(self.cleaned_data["total"].scaleb(2))


class ReasonForm(StrictForm):
    """Why."""

    reason = StrictText(label=_("Reason"), max_length=200)


class RedLetterForm(ReasonForm):
    """A red letter over a mistake, of the documents that are chosen."""

    invoices = _Invoices(
        label=_("Take off (none chosen: all that is left)"),
        queryset=None,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, invoices: QuerySet[Invoice], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer_rows("invoices", invoices)


class RecordsForm(TextFileForm):
    """Many records at once."""

    largest = MAX_FILE_BYTES

    file = forms.FileField(label=_("Records (CSV)"), max_length=120)
