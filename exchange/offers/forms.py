"""What a person types to offer capacity, and to lower its reserve."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.actors.actor import Actor
from accounts.web.forms import DeskTime, NamedChoiceField, StrictForm, WholeNumber
from catalog.measures.rounding import PPM_PER_PERCENT
from catalog.offerings import queries as offerings
from catalog.offerings.forms import PriceField
from catalog.offerings.rules import OfferingStatus
from exchange.markets.models import Market
from exchange.markets.rules import MAX_QUANTITY, MarketStatus
from exchange.offers.rules import OfferSpec, OfferTerms


class OfferForm(StrictForm):
    """Units of one listed offering, for a window, at a reserve. `spec()` is what `offers.place` takes."""

    fields_by_pointer: ClassVar = {
        "/reserve_price": "reserve_price",
        "/instant_price": "instant_price",
        "/return_credit_ppm": "return_credit",
        "/pause_credit_ppm": "pause_credit",
        "/offering": "offering",
        "/market": "market",
    }

    market = NamedChoiceField(label=_("Market"))
    offering = NamedChoiceField(label=_("Offering"))
    quantity = WholeNumber(label=_("Units in every hour"), minimum=1, maximum=MAX_QUANTITY)
    starts_at = DeskTime(label=_("From"), help_text=_("Asia/Shanghai, on the hour"))
    ends_at = DeskTime(label=_("To"), help_text=_("Asia/Shanghai"))
    reserve_price = PriceField(
        label=_("Reserve, a unit and hour"),
        help_text=_("The lowest price you take, in the market's currency, without commission and tax"),
    )
    instant_price = PriceField(
        label=_("Instant price, a unit and hour"),
        required=False,
        help_text=_("For who buys at once, without the auction; empty: not sold like that"),
    )
    return_credit = WholeNumber(
        label=_("Return credit, per cent"),
        required=False,
        minimum=0,
        maximum=100,
        help_text=_("Of the price, for what a buyer hands back before its time; empty: what holds for everybody"),
    )
    pause_credit = WholeNumber(
        label=_("Pause credit, per cent"),
        required=False,
        minimum=0,
        maximum=100,
        help_text=_("Of the price, for hours in which a buyer pauses; empty: what holds for everybody"),
    )
    lists_capacity = forms.BooleanField(
        label=_("List these units as capacity where they are not listed yet"), required=False, initial=True
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer_rows("market", Market.objects.filter(status=MarketStatus.OPEN).order_by("name"))
        self.offer_rows("offering", offerings.own(actor).filter(status=OfferingStatus.LISTED).order_by("name"))

    def spec(self) -> OfferSpec:
        """The offer that the valid form says."""
        said = self.cleaned_data
        return OfferSpec(
            market_id=said["market"].id,
            offering_id=said["offering"].id,
            terms=OfferTerms(
                said["quantity"], said["starts_at"], said["ends_at"], said["reserve_price"], said["instant_price"]
            ),
            return_credit_ppm=_ppm(said["return_credit"]),
            pause_credit_ppm=_ppm(said["pause_credit"]),
        )


def _ppm(percent: int | None) -> int | None:
    return None if percent is None else percent * PPM_PER_PERCENT


class InstantPriceForm(StrictForm):
    """Another instant price for a live offer, or none; open quotes keep theirs."""

    instant_price = PriceField(
        label=_("New instant price, a unit and hour"),
        required=False,
        help_text=_("Empty: sold in the auction alone"),
    )

    def instant_price_micros(self) -> int | None:
        """The instant price that the valid form says."""
        price: int | None = self.cleaned_data["instant_price"]
        return price


class LowerForm(StrictForm):
    """A lower reserve for a live offer; it keeps its place in the queue."""

    reserve_price = PriceField(label=_("New reserve, a unit and hour"))

    def reserve_micros(self) -> int:
        """The reserve that the valid form says."""
        reserve: int = self.cleaned_data["reserve_price"]
        return reserve
