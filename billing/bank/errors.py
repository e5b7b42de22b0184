"""What the import of a statement declines."""

from collections.abc import Sequence

from accounts.foundation.errors import FieldProblem, Invalid, NotFound, Unprocessable
from billing.bank.rules import MAX_PROBLEMS, Problem


class StatementUnreadable(Invalid):
    """The file is no statement, or some rows of it cannot be read: nothing of it is kept."""

    code = "statement_unreadable"

    def __init__(self, problems: Sequence[Problem]) -> None:
        more = len(problems) - MAX_PROBLEMS
        super().__init__(
            f"Nothing was imported: {problems[0]}"
            + (f" {len(problems)} problems in all." if len(problems) > 1 else "")
            + (f" The first {MAX_PROBLEMS} are listed." if more > 0 else ""),
            [FieldProblem("/content", str(problem)) for problem in problems[:MAX_PROBLEMS]],
        )


class EntryContradicts(Unprocessable):
    """The bank's id of an entry is known with another amount: nothing of the file is kept."""

    code = "bank_entry_contradicts"

    def __init__(self, bank_reference: str, *, known: str, seen: str) -> None:
        super().__init__(f"The bank's id {bank_reference} is known with {known}; this file says {seen}.")


class NoSuchStatement(NotFound):
    """There is no imported statement with this id."""

    code = "bank_statement_not_found"
