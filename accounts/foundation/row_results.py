"""What became of each row of an import whose good rows are kept."""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.foundation.errors import DomainError
from accounts.foundation.tables import Problem, Row, Unreadable


@dataclass(frozen=True)
class FieldSaid:
    """What is wrong with one field: the sentence names the value seen and what was expected."""

    field: str
    detail: str


@dataclass(frozen=True)
class RowResult:
    """What became of one row: `result` is "refused" exactly when it has problems."""

    row: int
    result: str
    id: str = ""
    problems: tuple[FieldSaid, ...] = ()


def unreadable(row: Row) -> RowResult:
    """Return the result of a row that has problems of its own."""
    return RowResult(row.number, "refused", problems=tuple(_said(problem) for problem in row.problems))


def refused(row: Row, error: DomainError) -> RowResult:
    """Return the result of a row that a service declined."""
    said = [FieldSaid(problem.pointer.strip("/"), problem.detail) for problem in error.problems]
    return RowResult(row.number, "refused", problems=tuple(said or [FieldSaid("row", error.detail)]))


def of_file(error: Unreadable) -> list[RowResult]:
    """Return the results of a file that is no table: one for row 0, or for the row that is none."""
    return [RowResult(problem.row, "refused", problems=(_said(problem),)) for problem in error.problems]


def count(results: Sequence[RowResult], result: str) -> int:
    """Return how many rows had a result."""
    return sum(one.result == result for one in results)


def _said(problem: Problem) -> FieldSaid:
    return FieldSaid(problem.field, f"{problem.seen!r} was given; expected {problem.expected}.")
