"""Health, headers and request ids."""

from typing import Any

import pytest
import redis
from django.conf import settings
from django.test import Client

from config import health


def test_a_living_process_says_so_without_its_services(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}


@pytest.mark.django_db
def test_a_process_with_database_schema_and_broker_is_ready(client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")


@pytest.mark.django_db
def test_a_process_without_its_broker_is_not_ready(client: Client, settings: pytest.FixtureRequest) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"  # type: ignore[attr-defined]
    answer = client.get("/readyz")
    assert answer.status_code == 503
    known = {"database": True, "migrations": True, "broker": False}
    assert answer.json() == {"status": "unready", **known, "overdue_rounds": 0}


def test_every_answer_carries_the_security_headers(client: Client) -> None:
    headers = client.get("/healthz").headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"


def test_forms_lead_to_pages_of_stripe_only_where_there_is_an_account(client: Client, settings: Any) -> None:
    assert "form-action 'self';" in client.get("/healthz").headers["Content-Security-Policy"]
    settings.STRIPE_SECRET_KEY = "sk_test_1"
    policy = client.get("/healthz").headers["Content-Security-Policy"]
    assert "form-action 'self' https://checkout.stripe.com https://connect.stripe.com;" in policy


@pytest.mark.parametrize(("offered", "kept"), [("abcdef-12345", True), ("short", False), ("new\nline-in-a-log", False)])
def test_a_request_id_is_taken_over_only_in_a_harmless_shape(client: Client, offered: str, kept: bool) -> None:
    answer = client.get("/healthz", headers={"X-Request-Id": offered})
    assert (answer.headers["X-Request-Id"] == offered) is kept


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_health_is_only_read(client: Client, method: str) -> None:
    assert getattr(client, method)("/healthz").status_code == 405


def test_the_broker_of_the_tests_keeps_what_it_is_told() -> None:
    assert health._broker()
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        assert broker.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
        assert broker.config_get("appendonly")["appendonly"] == "yes"
