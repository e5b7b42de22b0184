"""What a person types to say where money goes, and what the bank says of a payout."""

from django.utils.translation import gettext_lazy as _

from accounts.foundation import strict
from accounts.web.forms import StrictForm, StrictText


def _account(text: str) -> str:
    return strict.text(text, max_length=34, min_length=6)


class DestinationForm(StrictForm):
    """A bank account."""

    holder = StrictText(label=_("Account holder"), max_length=140)
    bank_name = StrictText(label=_("Bank"), max_length=140)
    bank_code = StrictText(label=_("Bank code"), max_length=14, help_text=_("CNAPS code or BIC"))
    account = StrictText(
        label=_("Account number"), max_length=34, read=_account, help_text=_("Kept sealed; only its end is shown")
    )


class ConfirmForm(StrictForm):
    """How the bank names the transaction."""

    bank_reference = StrictText(label=_("The bank's transaction id"), max_length=64)


class FailForm(StrictForm):
    """Why the bank did not pay."""

    reason = StrictText(label=_("Reason"), max_length=500)
