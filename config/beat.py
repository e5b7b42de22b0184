"""Beat's clock, which ticks in one process at a time."""

from typing import Any, Final

from celery.beat import PersistentScheduler
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

# Any number that nothing else locks in this database.
_LOCK: Final = 7_301_912
_WAIT_SECONDS: Final = 5.0


class LeaderScheduler(PersistentScheduler):  # type: ignore[misc]  # celery has no types
    """Ring only while this process holds beat's lock in the database.

    A second beat does no harm, since a round exists once, but it would ring everything twice; it
    waits, and takes over when the first one's connection ends, however it ends.
    """

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Ring what is due and return the seconds until the next look."""
        if not self._leads():
            return _WAIT_SECONDS
        return float(super().tick(*args, **kwargs))

    def _leads(self) -> bool:
        connection = connections[DEFAULT_DB_ALIAS]
        try:
            with connection.cursor() as cursor:
                # Asked at every tick: a lost connection has lost the lock, and a held lock is granted again.
                cursor.execute(
                    "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() "
                    "AND granted AND objid = %s) OR pg_try_advisory_lock(%s)",
                    [_LOCK, _LOCK],
                )
                return bool(cursor.fetchone() == (True,))
        except DatabaseError:
            connection.close()
            return False
