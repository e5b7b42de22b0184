"""What a person types to pay by card, and to send money back."""

from decimal import Decimal
from typing import Final

from django.utils.translation import gettext_lazy as _

from accounts.web.forms import PlainDecimal, StrictForm, StrictText

_SMALLEST: Final = Decimal("0.01")


class CardTopUpForm(StrictForm):
    """How much is paid in by card."""

    amount = PlainDecimal(label=_("Amount by card"), max_digits=8, decimal_places=2, minimum=_SMALLEST)


class RefundForm(StrictForm):
    """How much goes back, and why."""

    amount = PlainDecimal(label=_("Amount to send back"), max_digits=8, decimal_places=2, minimum=_SMALLEST)
    reason = StrictText(label=_("Reason"), max_length=200)
