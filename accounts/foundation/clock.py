"""The one clock: the database's, which simulation, tests and the demo may set.

Services never read it: `now` is passed to them. Only the outermost caller (API, page, task,
command) asks, and where a lock decides who was in time, after taking the lock.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection

from accounts.foundation.errors import Forbidden


class ClockIsReal(Forbidden):
    """Production has no other time than the real one."""

    code = "clock_is_real"

    def __init__(self) -> None:
        super().__init__("The clock cannot be set in production.")


def now() -> datetime:
    """Return the present instant, aware and in UTC."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT exchange_now()")
        (instant,) = cursor.fetchone()
    assert isinstance(instant, datetime)
    return instant.astimezone(UTC)


def set_virtual(instant: datetime | None) -> None:
    """Set this session's clock to stand still at an instant, or with None give it back the real time.

    The setting belongs to the database session and follows its transaction: when the transaction
    that set it rolls back, so does the clock. Raises ClockIsReal in production.
    """
    if settings.PRODUCTION:
        raise ClockIsReal
    assert instant is None or instant.tzinfo is not None, instant
    text = "" if instant is None else instant.astimezone(UTC).isoformat()
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('exchange.virtual_now', %s, false)", [text])


@contextmanager
def travel(instant: datetime) -> Iterator[None]:
    """Let the session live at an instant for a while; nested travels return to the outer one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nullif(current_setting('exchange.virtual_now', true), '')")
        (before,) = cursor.fetchone()
    set_virtual(instant)
    try:
        yield
    finally:
        set_virtual(None if before is None else datetime.fromisoformat(before))
