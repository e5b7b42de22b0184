"""Ways in which money reaches the exchange besides a plain bank transfer."""

from dataclasses import dataclass
from typing import Protocol


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
