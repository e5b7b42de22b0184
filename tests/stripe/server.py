"""A small Stripe on this machine: a real HTTP server with state, for what Stripe's library asks of it.

It keeps the answers of idempotency keys, refuses parameters that it does not know, and loses requests or answers
when told to. What Stripe does by itself or for a payer (paying, disputing, settling) tests do through `Simulator`.
"""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.stripe.answers import Refused, refusal
from tests.stripe.simulator import Simulator

ROUTES: tuple[tuple[str, str, str], ...] = (
    ("GET", r"/v1/account", "own_account"),
    ("POST", r"/v1/(customers)", "create_customer"),
    ("POST", r"/v1/checkout/sessions", "create_session"),
    ("POST", r"/v1/payment_intents", "create_intent"),
    ("POST", r"/v1/payment_methods/(\w+)/detach", "detach_method"),
    ("POST", r"/v1/refunds", "create_refund"),
    ("POST", r"/v1/accounts", "create_account"),
    ("POST", r"/v1/account_links", "create_account_link"),
    ("POST", r"/v1/transfers", "create_transfer"),
    ("POST", r"/v1/transfers/(\w+)/reversals", "create_reversal"),
    ("GET", r"/v1/transfers/(\w+)/reversals", "list_reversals"),
    ("POST", r"/v1/payouts", "create_payout"),
    ("GET", r"/v1/(?:checkout/)?([a-z_]+)", "list_objects"),
    ("GET", r"/v1/(?:checkout/)?([a-z_]+)/(\w+)", "retrieve"),
)


@dataclass
class Fault:
    """What goes wrong with the next requests to a path: lost on the way, answered with an error, or answer lost."""

    path: str
    kind: str  # lost_request, lost_answer, late_answer (two seconds), or a status: 409, 429, 500
    times: int = 1


@dataclass
class Wire:
    """What the server does besides being Stripe."""

    simulator: Simulator
    faults: list[Fault] = field(default_factory=list)
    # (account, key) -> (what was sent, status, body)
    answered: dict[tuple[str, str], tuple[str, int, bytes]] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)  # method, path, idempotency key
    is_down: bool = False  # nothing arrives

    def fault(self, path: str, kind: str, *, times: int = 1) -> None:
        """Let the next requests to a path go wrong."""
        self.faults.append(Fault(path, kind, times))

    def due_fault(self, path: str) -> str:
        """Take the fault for a request, if there is one."""
        for fault in self.faults:
            if fault.path == path and fault.times > 0:
                fault.times -= 1
                return fault.kind
        return ""

    def effects(self, path: str) -> int:
        """Count the different keys that were sent to a path."""
        return len({key for method, asked, key in self.asked if method == "POST" and asked == path})


@contextmanager
def running(simulator: Simulator) -> Iterator[tuple[str, Wire]]:
    """Serve a simulator; yields its address and its wire."""
    wire = Wire(simulator)
    lock = threading.Lock()  # one request at a time: the state is plain dictionaries

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve("GET")

        def do_POST(self) -> None:
            self._serve("POST")

        def _serve(self, method: str) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            key = self.headers.get("Idempotency-Key") or ""
            account = self.headers.get("Stripe-Account") or ""
            with lock:
                wire.asked.append((method, parts.path, key))
                fault = wire.due_fault(parts.path)
                if fault == "lost_request" or wire.is_down:
                    self._hang_up()
                    return
                status, text = answer(wire, method, parts.path, parts.query + body, key, account, fault)
            if fault == "lost_answer":
                self._hang_up()
                return
            if fault == "late_answer":
                time.sleep(2)
            # Head and body in one packet: two would have the reader woken twice for each answer.
            self.wfile.write(
                f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(text)}\r\n\r\n".encode()
                + text
            )

        def _hang_up(self) -> None:
            self.close_connection = True
            self.connection.close()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name of the base class)
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Say nothing of connections that were closed on purpose."""

    listener = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.server_port}", wire
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


def answer(wire: Wire, method: str, path: str, sent: str, key: str, account: str, fault: str) -> tuple[int, bytes]:
    """Do what is asked, or give the first answer again to a key that is known."""
    known = wire.answered.get((account, key)) if key else None
    if known is not None:
        if known[0] != f"{path}?{sent}":
            return _refused(Refused(400, "idempotency_error", "Keys can only be used with the same parameters."))
        return known[1], known[2]
    if fault == "409":
        return _refused(Refused(409, "idempotency_error", "There is another request in progress with this key."))
    if fault == "429":
        return _refused(Refused(429, "invalid_request_error", "Too many requests.", code="rate_limit"))
    if fault == "500":
        status, text = _refused(Refused(500, "api_error", "Something went wrong on our end."))
    else:
        status, text = _done(wire.simulator, method, path, nested(sent), account)
    if key and method == "POST" and status != 429:
        # Stripe keeps whatever it began to execute, a 500 too.
        wire.answered[(account, key)] = (f"{path}?{sent}", status, text)
    return status, text


def _done(simulator: Simulator, method: str, path: str, sent: dict[str, Any], account: str) -> tuple[int, bytes]:
    for verb, pattern, name in ROUTES:
        match = re.fullmatch(pattern, path)
        if verb == method and match:
            run: Callable[..., Mapping[str, Any]] = getattr(simulator, name)
            try:
                return 200, json.dumps(run(*match.groups(), sent=sent, account=account)).encode()
            except Refused as error:
                return _refused(error)
    return _refused(Refused(404, "invalid_request_error", f"Unrecognized request URL ({method}: {path})."))


def _refused(error: Refused) -> tuple[int, bytes]:
    return error.status, json.dumps(refusal(error)).encode()


def nested(text: str) -> dict[str, Any]:
    """Return the values of a form such as `a[b]=1&c[0]=2` as nested dictionaries, lists by their numbers."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        first, *rest = re.split(r"\]\[|\[|\]", name.rstrip("]"))
        here = found
        for part, following in zip([first, *rest], [*rest, None], strict=True):
            if following is None:
                here[part] = value
            else:
                here = here.setdefault(part, {})
    return found
