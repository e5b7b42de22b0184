"""An outside service that issues fapiao, asked over HTTP in a neutral contract; without one, people record them.

The contract is in docs/reference/fapiao.md. Every doubt becomes IssuerUnclear, and the call is looked for again.
"""

import http.client
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from django.conf import settings

from accounts.foundation import strict
from accounts.foundation.errors import shown
from billing.fapiao.errors import IssuerUnclear
from billing.fapiao.rules import Issued
from catalog.measures.errors import MeasureError
from catalog.measures.money import parse_minor

TIMEOUT_SECONDS: Final = 10
_LARGEST_ANSWER: Final = 64 * 1024


class Verdict(StrEnum):
    """How far the service is with one fapiao."""

    ACCEPTED = "accepted"
    ISSUED = "issued"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said of one fapiao."""

    verdict: Verdict
    issued: Issued | None = None
    reason: str = ""


class Issuer(Protocol):
    """What issues fapiao for us."""

    def submit(self, body: str, *, key: str) -> Answer:
        """Ask for a fapiao, once for its key. Raises IssuerUnclear."""
        ...

    def look(self, key: str) -> Answer | None:
        """Say what became of one; None when the service has nothing under the key. Raises IssuerUnclear."""
        ...


def from_settings() -> Issuer | None:
    """Return the service of this installation, or None where people record what the tax bureau issued."""
    if settings.FAPIAO_ISSUER != "http":
        return None
    return HttpIssuer(settings.FAPIAO_ISSUER_URL, settings.FAPIAO_ISSUER_TOKEN)


class HttpIssuer:
    """The service at an address."""

    def __init__(self, base: str, token: str) -> None:
        """Keep the address, `https://host/path`, and the token that it knows us by."""
        self._base = urlsplit(base)
        self._token = token

    def submit(self, body: str, *, key: str) -> Answer:
        """POST {base}/fapiao: 200 to 202 with an answer, or 422 with a refusal."""
        status, said = self._ask("POST", "/fapiao", key, body)
        if status in {200, 201, 202}:
            return _answer(said, key)
        if status == 422:
            return Answer(Verdict.REFUSED, reason=_reason(said))
        raise IssuerUnclear(f"The issuing service answered {status}; expected 200, 201, 202 or 422.")

    def look(self, key: str) -> Answer | None:
        """GET {base}/fapiao/{key}: 200 with an answer, or 404."""
        status, said = self._ask("GET", f"/fapiao/{key}", key)
        if status == 404:
            return None
        if status == 200:
            return _answer(said, key)
        raise IssuerUnclear(f"The issuing service answered {status}; expected 200 or 404.")

    def _ask(self, method: str, path: str, key: str, body: str | None = None) -> tuple[int, dict[str, Any]]:
        kind = http.client.HTTPConnection if self._base.scheme == "http" else http.client.HTTPSConnection
        headers = {"Authorization": f"Bearer {self._token}", "Idempotency-Key": key, "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection = kind(self._base.hostname or "", self._base.port, timeout=TIMEOUT_SECONDS)
        try:
            sent = None if body is None else body.encode()
            connection.request(method, self._base.path.rstrip("/") + path, sent, headers)
            response = connection.getresponse()
            raw = response.read(_LARGEST_ANSWER + 1)
        except (OSError, http.client.HTTPException) as error:
            raise IssuerUnclear(f"The issuing service did not answer ({type(error).__name__}).") from error
        finally:
            connection.close()
        return response.status, _object(raw) if response.status in {200, 201, 202, 422} else {}


def _object(raw: bytes) -> dict[str, Any]:
    try:
        said = json.loads(raw) if len(raw) <= _LARGEST_ANSWER else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise IssuerUnclear(f"The issuing service answered {shown(raw[:60])}; expected a JSON object.")
    return said


def _answer(said: dict[str, Any], key: str) -> Answer:
    if said.get("key") != key:
        raise IssuerUnclear(f"key: {shown(said.get('key'))} was answered; expected {key}.")
    try:
        verdict = Verdict(said.get("status", ""))
    except ValueError as error:
        expected = ", ".join(Verdict)
        raise IssuerUnclear(f"status: {shown(said.get('status'))} was answered; expected one of {expected}.") from error
    if verdict is Verdict.REFUSED:
        return Answer(verdict, reason=_reason(said))
    return Answer(verdict, issued=_issued(said) if verdict is Verdict.ISSUED else None)


def _issued(said: dict[str, Any]) -> Issued:
    name = ""
    try:
        name = "issued_on"
        issued_on = strict.calendar_date(said.get(name))
        name = "total"
        total = strict.text(said.get(name), max_length=24)
        total_minor = parse_minor(total.removeprefix("-"), "CNY") * (-1 if total.startswith("-") else 1)
        texts = {}
        for name, most in (("number", 20), ("file_url", 500), ("file_sha256", 64)):
            texts[name] = strict.text(said.get(name, ""), min_length=0, max_length=most)
    except (strict.Mismatch, MeasureError) as error:
        raise IssuerUnclear(f"{name}: {error}") from error
    return Issued(texts["number"], issued_on, total_minor, texts["file_url"], texts["file_sha256"])


def _reason(said: dict[str, Any]) -> str:
    reason = said.get("reason")
    text = reason if isinstance(reason, str) and reason.isprintable() and reason.strip() else "no reason was given"
    return text[:200]
