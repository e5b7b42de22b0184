"""What a provider types to hand a lease over."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.foundation import strict
from accounts.web.forms import StrictForm, StrictText
from exchange.leases.rules import MAX_ACCESS_CHARACTERS


class HandOverForm(StrictForm):
    """How the buyer gets in; stored encrypted."""

    access = StrictText(
        label=_("Access details"),
        max_length=MAX_ACCESS_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off"}),
        help_text=_("Address, user, host key: shown to the buyer alone while the lease runs"),
        read=lambda text: strict.text(text.replace("\r\n", "\n"), max_length=MAX_ACCESS_CHARACTERS, multiline=True),
    )
