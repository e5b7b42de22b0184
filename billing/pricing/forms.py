"""Which file of vouchers a clerk hands in."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.web.uploads import TextFileForm
from billing.pricing.imports import MAX_FILE_BYTES


class VouchersForm(TextFileForm):
    """Many vouchers at once."""

    largest = MAX_FILE_BYTES

    file = forms.FileField(label=_("Vouchers (CSV)"), max_length=120)
