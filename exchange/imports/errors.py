"""What an import declines."""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.foundation.errors import Invalid, Unprocessable, shown


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One wrong place in a file: the row as an editor counts lines (1 is the header), the column, what stood there."""

    file: str
    row: int
    column: str
    value: str
    expected: str

    def __str__(self) -> str:
        place = f"{self.file}, row {self.row}"
        if self.column:
            place += f", column {self.column}"
        return f"{place}: {shown(self.value)}; expected {self.expected}"


class CellRefused(Invalid):
    """One cell is not what was expected; the parser notes it and goes on with the next row."""

    code = "import_cell_refused"

    def __init__(self, problem: RowProblem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class FileRefused(Invalid):
    """A file cannot be read as a whole; nothing was imported. `rows` names every place found."""

    code = "import_file_refused"

    def __init__(self, rows: Sequence[RowProblem], *, more: bool = False) -> None:
        count = f"{len(rows)} or more" if more else str(len(rows))
        head = f"Wrong places: {count}; nothing was imported."
        super().__init__("\n".join([head, *map(str, rows)]))
        self.rows = tuple(rows)


class NothingToImport(Unprocessable):
    """The files are well formed and hold nothing that the market could take."""

    code = "nothing_to_import"

    def __init__(self, what: str) -> None:
        super().__init__(f"The files hold no {what} that the market could take; nothing was imported.")


class RateNeeded(Unprocessable):
    """The prices are in another currency than the market's."""

    code = "import_rate_needed"

    def __init__(self, currency: str, market: str) -> None:
        super().__init__(
            f"The prices are in {currency} and the market is in {market}: state how many {market} one {currency} is."
        )
