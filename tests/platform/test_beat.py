"""Beat rings in one process at a time."""

import psycopg
import pytest
from django.db import connection

from config.beat import LeaderScheduler
from config.celery import app
from config.embedded import processes


@pytest.mark.django_db(transaction=True)
def test_a_second_beat_waits_and_takes_over_when_the_first_is_gone() -> None:
    scheduler = LeaderScheduler(app, lazy=True)
    settings = connection.settings_dict
    with psycopg.connect(
        host=settings["HOST"],
        port=settings["PORT"],
        user=settings["USER"],
        password=settings["PASSWORD"],
        dbname=settings["NAME"],
        autocommit=True,
    ) as first:
        first.execute("SELECT pg_advisory_lock(7301912)")
        assert scheduler.tick() == 5.0
        assert not scheduler._leads()
    assert _leads_soon(scheduler)
    assert scheduler._leads()


@pytest.mark.django_db(transaction=True)
def test_a_beat_that_lost_its_connection_asks_again() -> None:
    scheduler = LeaderScheduler(app, lazy=True)
    assert scheduler._leads()
    connection.close()
    assert _leads_soon(scheduler)


def _leads_soon(scheduler: LeaderScheduler) -> bool:
    # The server lets go of a lock when it notices that the connection has ended, a moment after it has.
    return processes.wait_until(scheduler._leads, seconds=30)
