"""Loading the demo market: all of it or nothing, and never into somebody's database."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.actors.actor import Actor
from accounts.foundation import clock
from accounts.organisations import services as organisations
from accounts.organisations.models import Organisation
from accounts.organisations.rules import OrganisationKind
from accounts.organisations.services import Application, LegalDetails
from config.audit.checks import violated
from exchange.demo import loading, traffic

MANAGE = Path(__file__).parents[3] / "manage.py"


@pytest.mark.django_db
def test_a_database_that_somebody_uses_is_refused() -> None:
    legal = LegalDetails("Own Lab", "OWN-1", "CN", "1 Own Road", vat_registered=True)
    application = Application(name="Own Lab", kind=OrganisationKind.LAB, legal=legal, can_buy=True)
    organisations.register(Actor.system("test"), application, administrator=None, now=clock.now())
    with pytest.raises(CommandError, match="needs an empty database"):
        call_command("load_demo")
    assert Organisation.objects.count() == 1


@pytest.mark.django_db
def test_without_a_demo_market_nobody_trades_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert traffic.go_on(now=clock.now()) == 0
    call_command("demo_logins")
    assert capsys.readouterr().out == ""


def test_killed_in_the_middle_it_leaves_nothing_and_then_loads_sound_books(
    process_environment: dict[str, str],
) -> None:
    process = subprocess.Popen([sys.executable, MANAGE, "load_demo"], env=process_environment)
    _wait_until_it_writes(process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not Organisation.objects.exists()
    loading.load(now=clock.now())
    assert loading.is_loaded()
    assert violated() == []


def _wait_until_it_writes(process: subprocess.Popen[bytes]) -> None:
    """Wait until another session has written a market and not committed it."""
    for _ in range(1200):
        assert process.poll() is None, "it was quicker than this test"
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'exchange_market'::regclass "
                "AND mode = 'RowExclusiveLock' AND pid <> pg_backend_pid())"
            )
            if cursor.fetchone() == (True,):
                return
        time.sleep(0.1)
    raise AssertionError("it never began")
