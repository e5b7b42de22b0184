"""The doorbell: a broker that is away costs whoever rings a moment, and the next ones nothing."""

import socket
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import redis
from celery import current_app
from django.conf import settings
from django.db import transaction

from accounts.jobs import doorbell, services
from accounts.jobs.models import Job
from accounts.jobs.rules import JobState
from tests.accounts.cast import NOW

QUEUE = "celery"
KOMBUS_OWN_PATIENCE = 6.0  # seconds: what whoever rings would wait without ours


@pytest.fixture(autouse=True)
def _nobody_rang_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorbell, "_silent_until", 0.0)


@pytest.fixture
def silent_broker() -> Iterator[socket.socket]:
    """A server that takes connections and never says a word, as one that hangs."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        yield server


def _move_broker(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    monkeypatch.setattr(current_app.conf, "broker_write_url", f"redis://127.0.0.1:{port}/0")


def _dead_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _seconds_of_a_ring() -> float:
    began = time.monotonic()
    doorbell.ring()
    return time.monotonic() - began


def _callers(server: socket.socket) -> int:
    count = 0
    while True:
        try:
            server.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


def _rings_heard() -> int:
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        return int(broker.llen(QUEUE))


@pytest.mark.django_db(transaction=True)
def test_work_is_written_down_though_nobody_hears_the_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    _move_broker(monkeypatch, _dead_port())
    began = time.monotonic()

    with transaction.atomic():
        services.enqueue("test_kind", "a", now=NOW)

    assert time.monotonic() - began < KOMBUS_OWN_PATIENCE / 2
    assert Job.objects.get(kind="test_kind").state == JobState.PENDING


def test_a_broker_that_hangs_is_left_after_a_moment_and_not_tried_by_the_next(
    monkeypatch: pytest.MonkeyPatch, silent_broker: socket.socket
) -> None:
    _move_broker(monkeypatch, silent_broker.getsockname()[1])

    assert _seconds_of_a_ring() < KOMBUS_OWN_PATIENCE / 2
    assert _callers(silent_broker) == 1
    for _ in range(20):
        doorbell.ring()
    assert _callers(silent_broker) == 0


def test_the_bell_rings_again_once_the_broker_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    heard, began = _rings_heard(), 1_000.0
    clock = SimpleNamespace(monotonic=lambda: began)
    monkeypatch.setattr(doorbell, "time", clock)
    for step in ("socket_connect_timeout", "socket_timeout"):
        monkeypatch.setitem(doorbell._OPTIONS, step, 30)  # the broker is there, however slow this machine is
    with monkeypatch.context() as away:
        _move_broker(away, _dead_port())
        doorbell.ring()
    doorbell.ring()
    assert _rings_heard() == heard
    began += doorbell.SILENCE_SECONDS

    doorbell.ring()

    assert _rings_heard() == heard + 1
