"""What a person types to say where money goes, and what the bank says of a payout."""

from django.utils.translation import gettext_lazy as _

from accounts.web.forms import StrictForm, StrictText
from billing.payouts import rules


class DestinationForm(StrictForm):
    """A bank account."""

    holder = StrictText(label=_("Account holder"), max_length=140)
    bank_name = StrictText(label=_("Bank"), max_length=140)
    bank_code = StrictText(label=_("Bank code"), max_length=40, read=rules.bank_code, help_text=_("CNAPS code or BIC"))
    account = StrictText(
        label=_("Account number"),
        max_length=64,  # with the blanks and hyphens between its groups
        read=rules.account_number,
        help_text=_("Kept sealed; only its end is shown"),
    )


class ConfirmForm(StrictForm):
    """How the bank names the transaction."""

    bank_reference = StrictText(label=_("The bank's transaction id"), max_length=64)


class FailForm(StrictForm):
    """Why the bank did not pay."""

    reason = StrictText(label=_("Reason"), max_length=500)
