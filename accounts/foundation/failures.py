"""Going on past what fails, where the things in a row have nothing to do with each other."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

log = logging.getLogger(__name__)

# So many failures are no matter of single rows: the database is away, or the code is wrong.
TOO_MANY: Final = 20


class Failures:
    """Collects the errors of independent steps, so that one bad row does not keep the others waiting for ever.

    Each step is a transaction of its own: `with failures.kept("lease ..."):`. After the last of them
    `failures.raise_any()` raises all at once, so that nothing is swallowed and the task counts as failed.
    """

    def __init__(self) -> None:
        self._errors: list[Exception] = []

    @contextmanager
    def kept(self, what: str) -> Iterator[None]:
        """Run one step; an error in it is logged with its name and kept, too many of them are raised at once."""
        try:
            yield
        except Exception as error:  # whatever fails is raised again by raise_any
            log.exception("%s failed", what)
            error.add_note(what)
            self._errors.append(error)
            if len(self._errors) >= TOO_MANY:
                self.raise_any()

    @property
    def is_empty(self) -> bool:
        """Whether nothing has failed."""
        return not self._errors

    def raise_any(self) -> None:
        """Raise what was kept: the error itself when there is one, an ExceptionGroup of several."""
        if len(self._errors) == 1:
            raise self._errors[0]
        if self._errors:
            raise ExceptionGroup(f"{len(self._errors)} steps failed", self._errors)
