"""The form of a new key."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.keys.rules import Scope

_LIVES = [("30", _("30 days")), ("90", _("90 days")), ("365", _("365 days"))]


class KeyForm(forms.Form):
    """Name, scopes and life of a key."""

    name = forms.CharField(label=_("Name"), max_length=80)
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"), choices=[(scope, scope) for scope in Scope], widget=forms.CheckboxSelectMultiple
    )
    days = forms.ChoiceField(label=_("Valid for"), choices=_LIVES, initial="90")
