"""Stripe: the only module that imports its library."""

from typing import Final

import stripe  # noqa: TID251 (this is the gateway)
from django.conf import settings

from billing.payments.gateways import GatewayStatus

TIMEOUT_SECONDS: Final = 5


class StripeGateway:
    """Card payments through Stripe; an installation without a secret key has none."""

    name: Final = "stripe"

    def __init__(self, secret_key: str, *, api_base: str = "") -> None:
        """Keep a client of the account; `api_base` replaces Stripe's own address, for a test double."""
        self._client = (
            stripe.StripeClient(
                secret_key,
                base_addresses={"api": api_base} if api_base else {},
                http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
                # A page waits for this: it says "not now" rather than try again.
                max_network_retries=0,
            )
            if secret_key
            else None
        )

    def configured(self) -> bool:
        """Tell whether there is a secret key."""
        return self._client is not None

    def account_status(self) -> GatewayStatus:
        """Ask Stripe whether the account may charge cards; one request, at most TIMEOUT_SECONDS."""
        if self._client is None:
            return GatewayStatus(available=False, detail="No Stripe account is configured.")
        try:
            account = self._client.v1.accounts.retrieve_current()
        except stripe.AuthenticationError:
            return GatewayStatus(available=False, detail="Stripe does not accept the secret key.")
        except stripe.StripeError as error:
            return GatewayStatus(available=False, detail=f"Stripe cannot be asked just now ({type(error).__name__}).")
        if not account.charges_enabled:
            return GatewayStatus(available=False, detail=f"The Stripe account {account.id} may not charge cards yet.")
        return GatewayStatus(available=True, detail=f"The Stripe account {account.id} takes card payments.")


def from_settings() -> StripeGateway:
    """Return the gateway of this installation."""
    return StripeGateway(settings.STRIPE_SECRET_KEY, api_base=settings.STRIPE_API_BASE)
