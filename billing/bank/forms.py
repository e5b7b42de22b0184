"""Which file of the bank a clerk imports."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.web.forms import StrictForm
from billing.bank.rules import MAX_BYTES


class StatementForm(StrictForm):
    """A statement as the bank gives it."""

    statement = forms.FileField(label=_("Statement (CAMT.053 or CSV)"), max_length=120)

    def text(self) -> str:
        """Return what the valid form's file says."""
        return str(self.cleaned_data["text"])

    def clean(self) -> dict[str, object]:
        """Read the file as text."""
        cleaned = super().clean() or {}
        uploaded = cleaned.get("statement")
        if uploaded is None:
            return cleaned
        if uploaded.size > MAX_BYTES:
            self.add_error("statement", f"The file has {uploaded.size} bytes; expected {MAX_BYTES} or fewer.")
            return cleaned
        try:
            cleaned["text"] = uploaded.read().decode("utf-8")
        except UnicodeDecodeError:
            self.add_error("statement", "The file is not UTF-8 text.")
        return cleaned
