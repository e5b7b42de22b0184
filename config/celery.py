"""The Celery application: a doorbell for job rows, and beat's clock."""

import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import beat_init, worker_init, worker_ready

from config import garbage
from config.bootstrap import ROOT
from config.schedule import BEAT_SCHEDULE

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("exchange")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = BEAT_SCHEDULE


def _rooms_with_tasks() -> list[str]:
    """Return the rooms that have tasks: they are one folder below the apps that Celery would look into."""
    apps = ("accounts", "catalog", "billing", "exchange")
    return [f"{app}.{path.parent.name}" for app in apps for path in sorted((ROOT / app).glob("*/tasks.py"))]


app.autodiscover_tasks(_rooms_with_tasks)


def _say_ready(name: str) -> None:
    """Leave a file that whoever started this process waits for, when it named a place for it."""
    place = os.environ.get("EXCHANGE_RUN", "")
    if place:
        (Path(place) / name).touch()


@worker_init.connect
def _worker_has_loaded(**_: Any) -> None:
    garbage.leave_what_is_loaded()  # before its processes are forked, which share what is left alone


@worker_ready.connect
def _worker_is_ready(**_: Any) -> None:
    _say_ready("worker")


@beat_init.connect
def _beat_is_ready(**_: Any) -> None:
    _say_ready("beat")
