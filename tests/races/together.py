"""Starting steps at the same moment, each in a thread, a connection and a transaction of its own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connection, transaction

from accounts.foundation.errors import DomainError


def together(steps: Sequence[Callable[[], object]]) -> list[object]:
    """Run every step at once and return what each returned; a refusal is a result."""
    barrier = Barrier(len(steps))

    def run(step: Callable[[], object]) -> object:
        try:
            barrier.wait(timeout=30)
            with transaction.atomic():
                return step()
        except DomainError as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(steps)) as threads:
        return list(threads.map(run, steps))


def refusals(results: Sequence[object]) -> int:
    """Count the refusals."""
    return sum(isinstance(result, DomainError) for result in results)
