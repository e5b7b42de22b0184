"""A small Stripe for tests, and the settings that lead to it."""

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def stripe_wire(settings: Any) -> Iterator[Any]:
    """Serve a simulated Stripe that the gateway of the settings talks to."""
    from billing.gateway import stripe
    from tests.billing.ledger.books import NOW
    from tests.stripe.server import running
    from tests.stripe.simulator import Simulator

    with running(Simulator(NOW)) as (address, wire):
        settings.STRIPE_SECRET_KEY = "sk_test_simulated"
        settings.STRIPE_API_BASE = address
        settings.STRIPE_WEBHOOK_SECRET = "whsec_simulated"
        yield wire
    stripe._kept.cache_clear()  # the next one may get the same port
