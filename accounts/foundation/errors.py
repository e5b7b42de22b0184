"""What every refusal has in common.

A room's `errors.py` derives one small class per refusal from one of the kinds below. The kind
says what sort of refusal it is; which HTTP status that becomes is decided in `config.api` alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal, Self

SHOWN_CHARACTERS = 60


@dataclass(frozen=True)
class FieldProblem:
    """What is wrong with one input field.

    `pointer` is a JSON Pointer into the request body ("/needs/min_mem_gb"), or the name of the
    query parameter or header when `place` says so. `detail` names the value seen and what was expected.
    """

    pointer: str
    detail: str
    place: Literal["body", "query", "header"] = "body"


class DomainError(Exception):
    """A refusal that the caller may read: `code` is stable, `detail` is a sentence."""

    code: ClassVar[str] = "refused"
    # Whether what was written on the way to the refusal stays, such as the mark that stops an account.
    keeps_what_was_done: ClassVar[bool] = False
    # What a program may act on, such as the amount that is missing: JSON values by snake_case name.
    facts: Mapping[str, object] = MappingProxyType({})

    def __init__(self, detail: str, problems: Sequence[FieldProblem] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.problems = tuple(problems)


class Invalid(DomainError):
    """The request is not well formed, or a value is outside what can be accepted."""

    code = "invalid"

    @classmethod
    def field(cls, pointer: str, value: object, expected: str) -> Self:
        """Refuse one field: `Invalid.field("/quantity", 0, "a whole number from 1")`."""
        problem = FieldProblem(pointer, mismatch(value, expected))
        error = cls.__new__(cls)
        DomainError.__init__(error, f"{pointer.lstrip('/')}: {problem.detail}", (problem,))
        return error


class Unauthenticated(DomainError):
    """Nobody, or nobody we know, is asking."""

    code = "unauthenticated"


class PaymentRequired(DomainError):
    """The request is fine and the money for it is not there."""

    code = "payment_required"


class Forbidden(DomainError):
    """The caller is known and may not do this."""

    code = "forbidden"


class NotFound(DomainError):
    """There is no such thing, or none that this caller may know of: the two look the same."""

    code = "not_found"

    def __init__(self, detail: str = "There is nothing here.") -> None:
        super().__init__(detail)


class Conflict(DomainError):
    """The state of the thing does not allow it now."""

    code = "conflict"


class Unprocessable(DomainError):
    """Well formed, and a rule of the house refuses it."""

    code = "unprocessable"


class Unavailable(DomainError):
    """Cannot be answered just now; the same request may succeed later."""

    code = "unavailable"


class TooManyTries(DomainError):
    """Asked too often; `retry_after_seconds` says when to come back."""

    code = "too_many_tries"

    def __init__(self, detail: str, *, retry_after_seconds: int) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


def mismatch(value: object, expected: str) -> str:
    """Return the sentence that names the value seen and what was expected."""
    return f"{shown(value)} was given; expected {expected}."


def shown(value: object) -> str:
    """Return a value as it may be quoted in a message: printable and short, numbers and constants as JSON has them."""
    if isinstance(value, str):
        text = repr(value) if value.isprintable() else ascii(value)
    elif value is None or isinstance(value, bool):
        text = {None: "null", True: "true", False: "false"}[value]
    else:
        text = str(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."
