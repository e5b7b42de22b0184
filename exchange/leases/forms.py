"""What a provider types to hand a lease over, and a buyer to hand it back."""

from typing import ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.foundation import strict
from accounts.web.forms import DeskTime, StrictForm, StrictText, WholeNumber
from catalog.offerings.forms import PriceField
from exchange.leases.resales import SellBack
from exchange.leases.rules import MAX_ACCESS_CHARACTERS, Rectangle
from exchange.markets.rules import MAX_QUANTITY


class HandOverForm(StrictForm):
    """How the buyer gets in; stored encrypted."""

    access = StrictText(
        label=_("Access details"),
        max_length=MAX_ACCESS_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off"}),
        help_text=_("Address, user, host key: shown to the buyer alone while the lease runs"),
        read=lambda text: strict.text(text.replace("\r\n", "\n"), max_length=MAX_ACCESS_CHARACTERS, multiline=True),
    )


class PauseForm(StrictForm):
    """From when to when a lease is paused."""

    fields_by_pointer: ClassVar = {"/starts_at": "starts_at", "/ends_at": "ends_at"}

    starts_at = DeskTime(label=_("From"), help_text=_("Asia/Shanghai, on the market's grid"))
    ends_at = DeskTime(label=_("To"), help_text=_("Asia/Shanghai"))


class ResumeForm(StrictForm):
    """From when on a paused lease is taken up again."""

    fields_by_pointer: ClassVar = {"/starts_at": "starts_at"}

    starts_at = DeskTime(label=_("From"), help_text=_("Asia/Shanghai, on the market's grid"))


class ResaleForm(StrictForm):
    """A rectangle of a lease to be offered to others, and the lowest price for it."""

    fields_by_pointer: ClassVar = {
        "/quantity": "quantity",
        "/starts_at": "starts_at",
        "/ends_at": "ends_at",
        "/reserve_price": "reserve_price",
    }

    quantity = WholeNumber(label=_("Units"), minimum=1, maximum=MAX_QUANTITY)
    starts_at = DeskTime(label=_("From"), help_text=_("Asia/Shanghai, on the market's grid"))
    ends_at = DeskTime(label=_("To"), help_text=_("Asia/Shanghai"))
    reserve_price = PriceField(
        label=_("Lowest price, a unit and hour"), help_text=_("In the market's currency, before the resale commission")
    )

    def spec(self) -> SellBack:
        """The offer that the valid form says."""
        said = self.cleaned_data
        rectangle = Rectangle(said["quantity"], said["starts_at"], said["ends_at"])
        return SellBack(rectangle, said["reserve_price"])


class ReturnForm(StrictForm):
    """A rectangle of a lease to be handed back."""

    fields_by_pointer: ClassVar = {"/quantity": "quantity", "/starts_at": "starts_at", "/ends_at": "ends_at"}

    quantity = WholeNumber(label=_("Units"), minimum=1, maximum=MAX_QUANTITY)
    starts_at = DeskTime(label=_("From"), help_text=_("Asia/Shanghai, on the market's grid"))
    ends_at = DeskTime(label=_("To"), help_text=_("Asia/Shanghai"))

    def rectangle(self) -> Rectangle:
        """The rectangle that the valid form says."""
        said = self.cleaned_data
        return Rectangle(said["quantity"], said["starts_at"], said["ends_at"])
