"""Run a step in a process that is killed at a chosen point, as a worker may be at any."""

import os
import signal
import traceback
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import connection, connections

from accounts.foundation import clock

_HUNG_SECONDS = 120


class Points:
    """Counts the points at which a process can die: before each statement, before and after each commit."""

    def __init__(self, kill_at: int) -> None:
        self.kill_at = kill_at
        self.passed = 0

    def pass_one(self) -> None:
        """Die, if this is the point."""
        self.passed += 1
        if self.passed == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self.pass_one()
        return execute(sql, params, many, context)


def run_killed(step: Callable[[], object], *, at: int, clock_at: datetime) -> bool:
    """Run a step in a process of its own that is killed at its n-th point; return whether it got to its end."""
    connections.close_all()  # a socket must not be shared with the child
    child = os.fork()
    if child == 0:
        _live_and_die(step, Points(at), clock_at)
    _, status = os.waitpid(child, 0)
    killed_or_done = {-signal.SIGKILL, 0}
    assert os.waitstatus_to_exitcode(status) in killed_or_done, "the step failed or hung instead of being killed"
    return not os.WIFSIGNALED(status)


def _live_and_die(step: Callable[[], object], points: Points, clock_at: datetime) -> None:
    signal.alarm(_HUNG_SECONDS)  # nobody else would end it
    try:
        clock.set_virtual(clock_at)
        database: Any = connection  # COMMIT has no public place to stand before it
        commit = database._commit

        def counted_commit() -> None:
            points.pass_one()
            commit()
            points.pass_one()

        database._commit = counted_commit
        with connection.execute_wrapper(points):
            step()
    except BaseException:  # noqa: BLE001 (whatever it was, this process must not go on as the parent)
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def sweep(step: Callable[[], object], *, clock_at: datetime, after_each: Callable[[], None], every: int = 1) -> int:
    """Kill the step at its first point, then at its second and so on, each time going on from what was left.

    `every` says how many points further each time. Returns how often it was killed before it got to its end.
    """
    kills = 0
    while not run_killed(step, at=kills * every + 1, clock_at=clock_at):
        kills += 1
        after_each()
        assert kills < 2_000, "the step never ends"
    return kills
