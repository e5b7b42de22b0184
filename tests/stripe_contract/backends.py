"""The Stripes that the gateway is held to one contract with: the simulator, localstripe, and Stripe's test mode."""

import json
import os
import queue
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import urlencode

from billing.gateway.stripe import StripeGateway
from tests.stripe.payers import message
from tests.stripe.server import Wire, running
from tests.stripe.simulator import Simulator

SECRET = "whsec_contract"
GOOD_CARD, DECLINED_CARD = "4242424242424242", "4000000000000341"


@dataclass
class Backend:
    """One Stripe: its gateway, how a card comes to be there, and what it says by itself."""

    name: str
    gateway: StripeGateway
    wire: Wire | None = None
    base: str = "https://api.stripe.com"
    key: str = ""
    said: "queue.Queue[tuple[bytes, str]]" = field(default_factory=queue.Queue)

    def save_card(self, customer_id: str, *, declines: bool = False) -> str:
        """Leave a card with a customer, as a payer does on Stripe's page; returns its id."""
        if self.wire is not None:
            simulator = self.wire.simulator
            session = simulator.create_session(
                sent={
                    "mode": "setup",
                    "customer": customer_id,
                    "currency": "cny",
                    "success_url": "x",
                    "cancel_url": "x",
                },
                account="",
            )
            found = simulator.save_method(session["id"], declines="insufficient_funds" if declines else "")
            return str(found["id"])
        if self.name == "stripe":
            method = "pm_card_chargeCustomerFail" if declines else "pm_card_visa"
        else:
            card = {"number": DECLINED_CARD if declines else GOOD_CARD, "exp_month": 12, "exp_year": 2040, "cvc": "123"}
            asked = {"type": "card"} | {f"card[{name}]": value for name, value in card.items()}
            method = self.post("/v1/payment_methods", asked)["id"]
        return str(self.post(f"/v1/payment_methods/{method}/attach", {"customer": customer_id})["id"])

    def post(self, path: str, asked: dict[str, Any]) -> Any:
        """Do what a payer's browser does at Stripe."""
        request = urllib.request.Request(f"{self.base}{path}", urlencode(asked).encode())
        request.add_header("Authorization", "Basic " + b64encode(f"{self.key}:".encode()).decode())
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read()
        return json.loads(text) if text.startswith(b"{") else {}

    def next_message(self, kind: str) -> tuple[bytes, str]:
        """Return the body and the signature of a message of a type."""
        if self.wire is not None:
            event = next(row for row in self.wire.simulator.told if row["type"] == kind)
            return message(event, SECRET, at=int(time.time()))
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with suppress(queue.Empty):
                body, signature = self.said.get(timeout=1)
                if json.loads(body)["type"] == kind:
                    return body, signature
        raise AssertionError(f"no message {kind} came")


@contextmanager
def simulated() -> Iterator[Backend]:
    """The project's own simulator."""
    with running(Simulator(datetime.now(tz=UTC))) as (address, wire):  # noqa: TID251 (signatures count from it)
        yield Backend("simulator", StripeGateway("sk_test_x", api_base=address, webhook_secret=SECRET), wire)


@contextmanager
def local() -> Iterator[Backend]:
    """A localstripe process of an environment of its own, which LOCALSTRIPE names the program of."""
    program = os.environ["LOCALSTRIPE"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    with subprocess.Popen(
        [program, "--port", str(port), "--from-scratch"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            gateway = StripeGateway("sk_test_localstripe", api_base=base, webhook_secret=SECRET)
            backend = Backend("localstripe", gateway, base=base, key="sk_test_localstripe")
            _wait(base)
            with _listening(backend) as listener:
                backend.post("/_config/webhooks/contract", {"url": listener, "secret": SECRET})
                yield backend
        finally:
            server.terminate()


@contextmanager
def live_test_mode() -> Iterator[Backend]:
    """Stripe itself, in test mode, with a real key; a live key is refused."""
    key = os.environ["STRIPE_TEST_KEY"]
    assert key.startswith(("sk_test_", "rk_test_")), "STRIPE_TEST_KEY has to be a key of Stripe's test mode"
    yield Backend("stripe", StripeGateway(key, webhook_secret=SECRET), key=key)


# The two beside the simulator take part where the environment names them; see docs/reference/payments.md.
PRESENT: dict[str, Callable[[], AbstractContextManager[Backend]]] = {"simulator": simulated}
if os.environ.get("LOCALSTRIPE"):
    PRESENT["localstripe"] = local
if os.environ.get("STRIPE_TEST_KEY"):
    PRESENT["stripe"] = live_test_mode


def _wait(base: str) -> None:
    for _ in range(100):
        try:
            urllib.request.urlopen(base, timeout=1)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError("localstripe does not start")


@contextmanager
def _listening(backend: Backend) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            backend.said.put((body, self.headers["Stripe-Signature"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name of the base class)
            """Say nothing."""

    listener = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.server_port}/"
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
