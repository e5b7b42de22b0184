"""A small issuing service on this machine: a real HTTP server that keeps our contract, and loses what it is told to."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "only-for-tests"


@dataclass
class Service:
    """What it has, by key; `faults` are taken one for each request: lost_request, lost_answer, garbage, or a status."""

    address: str = ""
    fapiao: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)  # method and key
    bodies: dict[str, set[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def issue(self, key: str, number: str, issued_on: str, **changes: str) -> None:
        """Let the tax bureau have given a number."""
        total = json.loads(next(iter(self.bodies[key])))["total"]
        self.fapiao[key] |= {"status": "issued", "number": number, "issued_on": issued_on, "total": total, **changes}

    def refuse(self, key: str, reason: str) -> None:
        """Let the tax bureau have declined it."""
        self.fapiao[key] |= {"status": "refused", "reason": reason}

    def answer(self, method: str, key: str, body: str) -> tuple[int, dict[str, Any]]:
        """Do what is asked; a key that is known is answered as it stands."""
        if method == "POST":
            self.bodies.setdefault(key, set()).add(body)
            self.fapiao.setdefault(key, {"key": key, "status": "accepted"})
            return 202, self.fapiao[key]
        return (200, self.fapiao[key]) if key in self.fapiao else (404, {})


@contextmanager
def running() -> Iterator[Service]:
    """Serve one."""
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._serve("GET", self.path.rsplit("/", 1)[1])

        def do_POST(self) -> None:
            self._serve("POST", self.headers["Idempotency-Key"])

        def _serve(self, method: str, key: str) -> None:
            assert self.headers["Authorization"] == f"Bearer {TOKEN}"
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            service.asked.append((method, key))
            fault = service.faults.pop(0) if service.faults else ""
            if fault == "lost_request":
                self.connection.close()
                return
            status, said = service.answer(method, key, body) if not fault.isdigit() else (int(fault), {})
            if fault == "lost_answer":
                self.connection.close()
                return
            raw = b"<html>" if fault == "garbage" else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name of the base class)
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """Say nothing of connections that were closed on purpose."""

    listener = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    service.address = f"http://127.0.0.1:{listener.server_port}/tax"
    try:
        yield service
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
