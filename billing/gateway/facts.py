"""What Stripe says about its objects, as plain values. Amounts are minor units; currencies are upper case."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Protocol

# Where Stripe counts in whole units although the currency has minor ones: such amounts are never sent.
DIFFERENTLY_COUNTED: Final = frozenset({"MGA", "UGX", "ISK", "HUF", "TWD"})


@dataclass(frozen=True)
class GatewayStatus:
    """Whether customers can pay through a gateway now, and a sentence for staff why not."""

    available: bool
    detail: str


class PaymentGateway(Protocol):
    """An outside payment service."""

    name: str

    def configured(self) -> bool:
        """Tell whether this installation has an account there; asks nobody."""
        ...

    def account_status(self) -> GatewayStatus:
        """Ask the service whether the account can take payments; never raises for what the service answers."""
        ...


@dataclass(frozen=True)
class Made:
    """What a call that makes something is answered with: the object's id, and the page it is continued on."""

    id: str
    url: str = ""
    status: str = ""


@dataclass(frozen=True)
class Session:
    """A Checkout session: where a person pays, or leaves a method for later."""

    id: str
    status: str  # open, complete, expired
    payment_status: str  # paid, unpaid, no_payment_required
    intent_id: str
    setup_id: str
    url: str


@dataclass(frozen=True)
class Intent:
    """A payment: its state, what was received, and the charge that brought it."""

    id: str
    status: str  # succeeded, processing, requires_payment_method, requires_action, canceled ...
    amount_minor: int
    received_minor: int
    currency: str
    charge_id: str
    failure_code: str
    failure_message: str
    mark: str  # our own spelling of the payment, from its metadata


@dataclass(frozen=True)
class Method:
    """A saved way to pay: what may be shown of a card, never its number."""

    id: str
    customer_id: str  # empty once detached
    brand: str
    last4: str
    expires_year: int
    expires_month: int


@dataclass(frozen=True)
class Refund:
    """Money on its way back to the payer."""

    id: str
    status: str  # pending, requires_action, succeeded, failed, canceled
    amount_minor: int
    currency: str
    charge_id: str
    failure_reason: str


@dataclass(frozen=True)
class Dispute:
    """A payer's bank takes a charge back."""

    id: str
    status: str  # needs_response, under_review, won, lost, warning_* ...
    reason: str
    amount_minor: int
    currency: str
    charge_id: str
    intent_id: str


@dataclass(frozen=True)
class ConnectedAccount:
    """A provider's account with Stripe, and what it may do."""

    id: str
    details_submitted: bool
    payouts_enabled: bool
    transfers_active: bool


@dataclass(frozen=True)
class Transfer:
    """Money moved from the exchange's balance to a connected account's."""

    id: str
    amount_minor: int
    reversed_minor: int
    currency: str
    destination: str


@dataclass(frozen=True)
class Payout:
    """Money sent from a Stripe balance to a bank account."""

    id: str
    status: str  # pending, in_transit, paid, failed, canceled
    amount_minor: int
    currency: str
    automatic: bool
    failure_code: str
    created_at: datetime
    arrives_on: date


@dataclass(frozen=True)
class Movement:
    """A row of a Stripe balance: gross, fee and net."""

    id: str
    amount_minor: int
    fee_minor: int
    net_minor: int
    currency: str
    type: str
    reporting_category: str
    source_id: str
    status: str  # pending, available
    available_on: datetime
    created_at: datetime
    description: str


@dataclass(frozen=True)
class Notice:
    """An event: a hint that an object has changed. What it says about the object is not used."""

    id: str
    type: str
    live: bool
    account: str  # the connected account, or empty for the exchange's own
    object_kind: str
    object_id: str
    created_at: datetime


@dataclass(frozen=True)
class UnreadNotice:
    """An event of Stripe's own list that is not as Stripe sends them: its id, or a digest of it where it has none."""

    id: str
    problem: str
