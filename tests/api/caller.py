"""A small client of the API for tests: what is sent, and what comes back."""

import json
import uuid
from typing import Any, Self

from django.http import HttpResponse
from django.test import Client

from accounts.organisations.models import User


class Api:
    """Calls as one principal: with a key, a session or neither."""

    def __init__(self, key: str | None = None) -> None:
        self.client = Client(enforce_csrf_checks=True, raise_request_exception=True)
        self.headers = {} if key is None else {"Authorization": f"Bearer {key}"}

    @classmethod
    def signed_in(cls, user: User) -> Self:
        """Return somebody who came in through the pages and sends the token that they hand out."""
        api = cls()
        api.client.force_login(user)
        api.client.get("/sign-in")
        api.headers = {"X-CSRFToken": api.client.cookies["csrftoken"].value}
        return api

    def get(self, path: str, **query: str) -> Any:
        """GET with query parameters."""
        return self.client.get(path, query, headers=self.headers)

    def post(
        self, path: str, body: object = None, *, key: str | None = "", content_type: str = "application/json"
    ) -> Any:
        """POST a document, or bytes as they are; `key` is the idempotency key: fresh unless given, none for None."""
        raw = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
        headers = dict(self.headers)
        if key is not None:
            headers["Idempotency-Key"] = key or uuid.uuid4().hex
        return self.client.post(path, raw, content_type=content_type, headers=headers)

    def delete(self, path: str) -> Any:
        """DELETE."""
        return self.client.delete(path, headers=self.headers)


def pointers(response: HttpResponse) -> list[str]:
    """Return where a problem says that something is wrong."""
    assert response["Content-Type"] == "application/problem+json", response.content
    entries = json.loads(response.content).get("errors", [])
    return [entry.get("pointer") or entry.get("parameter") or entry["header"] for entry in entries]
