"""What is declined about offers."""

from accounts.foundation.errors import Conflict, FieldProblem, Forbidden, Invalid, NotFound, Unprocessable


class OfferNotFound(NotFound):
    """There is no such offer, or it is not the actor's."""

    code = "offer_not_found"


class OfferInvalid(Invalid):
    """The offer does not fit the rules of its market."""

    code = "offer_invalid"


class OfferUnchanged(Invalid):
    """A change that changes nothing is a mistake of the caller."""

    code = "offer_unchanged"

    def __init__(self) -> None:
        super().__init__("The offer says this already; name at least one thing to change.")


class OfferMoveRefused(Conflict):
    """The offer's status does not allow what was asked of it."""

    code = "offer_not_open"

    def __init__(self, status: str) -> None:
        super().__init__(f"Only an offer with something left to sell can be changed; this one is {status}.")


class OfferInRound(Conflict):
    """The offer stands in the frozen book of a round."""

    code = "offer_in_round"

    def __init__(self) -> None:
        super().__init__("A gate has closed over this offer; it can be changed again when the round is published.")


class OfferChangedMeanwhile(Conflict):
    """Another request has changed the offer first."""

    code = "offer_changed"

    def __init__(self) -> None:
        super().__init__("The offer was changed by another request; look at it again.")


class OfferPartlySold(Conflict):
    """What is sold cannot be changed, and a partly sold offer is uneven."""

    code = "offer_partly_sold"

    def __init__(self) -> None:
        super().__init__(
            "Part of this offer is sold: only its reserve price can change. Withdraw the rest and place a new offer."
        )


class OfferQuoted(Conflict):
    """A firm quote holds part of the offer, and a quote is kept."""

    code = "offer_quoted"

    def __init__(self) -> None:
        super().__init__(
            "A firm quote holds part of this offer for some minutes, so its quantity and hours stay as they are. "
            "Take the instant price off, and no new quote holds any of it; then try again."
        )


class OfferingNotTraded(Unprocessable):
    """The offering is not listed, or not of the market's kind."""

    code = "offering_not_traded"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, (FieldProblem("/offering", detail),))


class SellerNotActive(Forbidden):
    """The organisation may not sell at present."""

    code = "seller_not_active"

    def __init__(self, status: str) -> None:
        super().__init__(f"Only an active organisation that sells can place offers; this one is {status}.")


class OwnOrderCouldMeet(Conflict):
    """An organisation never trades with itself."""

    code = "own_order_could_meet"

    def __init__(self, order: str) -> None:
        super().__init__(
            f"Your own order {order} could be filled from this offer, and nobody trades with themselves. "
            "Cancel the order first, or offer hours outside of its window."
        )
