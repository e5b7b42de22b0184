"""What a person types to work on a break, and to reopen a month."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import User
from accounts.web.forms import StrictForm, StrictText
from billing.journals.forms import EntryForm
from billing.journals.rules import JournalKind
from billing.reconciliation import queries


class CommentForm(StrictForm):
    """Words about a break."""

    text = StrictText(label=_("Comment"), max_length=1000)


class ExplainForm(StrictForm):
    """Why a break is none."""

    explanation = StrictText(label=_("Explanation"), max_length=500)


class _ClerkField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not subscriptable at run time
    def label_from_instance(self, obj: User) -> str:
        return obj.display_name


class AssignForm(StrictForm):
    """Whose a break is."""

    owner = _ClerkField(label=_("Owner"), queryset=None, required=False, empty_label=_("nobody"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer_rows("owner", queries.clerks())


class SettleForm(EntryForm):
    """The entry that settles a break."""

    kind = forms.ChoiceField(
        label=_("How"),
        choices=[
            (JournalKind.ADJUSTMENT.value, _("Adjust the books")),
            (JournalKind.WRITE_OFF.value, _("Write the amount off")),
        ],
    )
    field_order = ["kind"]


class ReopenForm(StrictForm):
    """Why a month should be open again."""

    reason = StrictText(label=_("Reason"), max_length=500)
