"""Loads the whole demo market, or nothing of it."""

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts.foundation import clock
from accounts.foundation.errors import Conflict
from accounts.organisations.models import Organisation
from exchange.demo import people, stage, story, today, traffic
from exchange.demo.cast import TIMEZONE
from exchange.demo.story import Scene, Story
from exchange.markets.models import Market

# The hours of today that have to be there before its story can be yesterday's.
HOURS_OF_TODAY: Final = timedelta(hours=3)


class NotEmpty(Conflict):
    """The demo market goes into a database of its own."""

    code = "not_empty"

    def __init__(self) -> None:
        super().__init__("The demo market needs an empty database; this one has members who are not of it.")


def is_loaded() -> bool:
    """Whether this database holds the demo market."""
    return (
        Market.objects.filter(code=stage.LIVE).exists()
        and Organisation.objects.filter(can_operate=True, synthetic=True).exists()
    )


@transaction.atomic  # killed in the middle, it leaves the database empty and can begin again
def load(*, now: datetime) -> None:
    """Load the demo market as it stands at the (real) present; one that is there already stays as it is.

    Raises NotEmpty, and ClockIsReal in production.
    """
    if is_loaded():
        return
    if Organisation.objects.exists():
        raise NotEmpty
    told = _tell(story_day(now))
    today.play(told, until=now)
    # All that took a while: what follows happens at the present, so that no gate has passed it by.
    present = clock.now()
    people.welcome(now=present)
    stage.open_live_market(now=present)
    traffic.go_on(now=present)


def story_day(now: datetime) -> date:
    """Return the day that the story is told of: the last one in the market's zone that ended three hours ago."""
    return (now - HOURS_OF_TODAY).astimezone(ZoneInfo(TIMEZONE)).date() - timedelta(days=1)


def _tell(day: date) -> Story:
    """Tell the story; once its members are there, the others join them."""
    scenes = story.scenes(day)
    scene, told = next(scenes)
    assert scene is Scene.ASSEMBLED, scene
    stage.furnish(now=clock.now())
    for _ in scenes:
        pass
    return told
