"""The Stripe gateway against a server that speaks like Stripe on this machine."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from billing.gateway import stripe
from billing.gateway.stripe import StripeGateway


@contextmanager
def server(status: int, body: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Answer every request with one body, and note who asked for what."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.path} {self.headers['Authorization']}")
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name of the base class)
            """Say nothing."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listener.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.server_port}", asked
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


def account(**fields: Any) -> dict[str, Any]:
    return {"id": "acct_1", "object": "account", "charges_enabled": True} | fields


def test_without_a_key_there_is_no_gateway_and_nobody_is_asked() -> None:
    gateway = StripeGateway("")
    assert not gateway.configured()
    assert not gateway.account_status().available


def test_the_settings_of_an_installation_without_stripe_say_so() -> None:
    assert stripe.from_settings().configured() is False


def test_an_account_that_may_charge_is_available() -> None:
    with server(200, account()) as (address, asked):
        status = StripeGateway("sk_test_1", api_base=address).account_status()
    assert status.available
    assert asked == ["/v1/account Bearer sk_test_1"]


def test_an_account_that_may_not_charge_yet_is_not_available() -> None:
    with server(200, account(charges_enabled=False)) as (address, _):
        status = StripeGateway("sk_test_1", api_base=address).account_status()
    assert not status.available
    assert "may not charge" in status.detail


@pytest.mark.parametrize(
    ("status_code", "words"), [(401, "does not accept"), (500, "cannot be asked"), (429, "cannot be asked")]
)
def test_what_stripe_refuses_is_a_sentence(status_code: int, words: str) -> None:
    body = {"error": {"type": "invalid_request_error", "message": "no"}}
    with server(status_code, body) as (address, asked):
        status = StripeGateway("sk_test_1", api_base=address).account_status()
    assert not status.available
    assert words in status.detail
    assert "sk_test_1" not in status.detail
    assert len(asked) == 1


def test_a_stripe_that_cannot_be_reached_is_a_sentence() -> None:
    with server(200, account()) as (address, _):
        pass
    status = StripeGateway("sk_test_1", api_base=address).account_status()
    assert not status.available
