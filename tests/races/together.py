"""Starting steps at the same moment, each in a thread and on a connection of its own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier

from django.db import connection, transaction

from accounts.foundation import clock
from accounts.foundation.errors import DomainError

_PATIENCE_SECONDS = 60


def together(
    steps: Sequence[Callable[[], object]], *, at: datetime | None = None, in_transaction: bool = True
) -> list[object]:
    """Run every step at once and return what each returned; a refusal is a result.

    The clock of every connection stands at `at`, if that is given. Steps that make transactions of their own are not
    put into one.
    """
    barrier = Barrier(len(steps))

    def run(step: Callable[[], object]) -> object:
        try:
            make_ready(at)
            barrier.wait(timeout=_PATIENCE_SECONDS)
            if not in_transaction:
                return step()
            with transaction.atomic():
                return step()
        except DomainError as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(steps)) as threads:
        return list(threads.map(run, steps))


def make_ready(at: datetime | None = None) -> None:
    """Connect this thread, with patience for locks; to open a connection takes longer than most steps."""
    with connection.cursor() as cursor:
        # Who comes first is asked here; how long the last in a row waits is the machine's affair.
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{_PATIENCE_SECONDS}s"])
    if at is not None:
        clock.set_virtual(at)


def refusals(results: Sequence[object]) -> int:
    """Count the refusals."""
    return sum(isinstance(result, DomainError) for result in results)
