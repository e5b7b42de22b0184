"""The stage of the exchange's tests: the clock stands at noon, and the cast of the story is there.

pytest reads this file before Django is configured, so it imports the cast where it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from accounts.actors.actor import Actor
    from tests.exchange.cast import Story


@pytest.fixture
def noon(db: None) -> Iterator[None]:
    """Let the test live at noon in Shanghai, two days before D."""
    from accounts.foundation import clock
    from tests.exchange.cast import NOW

    with clock.travel(NOW):
        yield


@pytest.fixture
def story(noon: None) -> Story:
    """The market, two providers with listed cards, three funded buyers."""
    from tests.exchange import cast

    return cast.make_story()


@pytest.fixture
def call() -> Callable[..., Any]:
    """Call the API as an actor: `call(trader, "post", "/v1/orders", {...})` gives the response."""
    import secrets

    from rest_framework.test import APIClient

    def request(
        actor: Actor | None, method: str, path: str, body: object = None, *, key: str | None = None, **params: Any
    ) -> Any:
        client = APIClient()
        if actor is not None:
            client.force_authenticate(user=None, token=actor)  # type: ignore[arg-type]
        if method == "get":
            return client.get(path, params)
        headers = {"Idempotency-Key": key or secrets.token_hex(16)}
        return getattr(client, method)(path, body, format="json", headers=headers)

    return request
