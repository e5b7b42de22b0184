"""Which file of the bank a clerk imports."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.web.uploads import TextFileForm
from billing.bank.rules import MAX_BYTES


class StatementForm(TextFileForm):
    """A statement as the bank gives it."""

    largest = MAX_BYTES

    file = forms.FileField(label=_("Statement (CAMT.053 or CSV)"), max_length=120)
