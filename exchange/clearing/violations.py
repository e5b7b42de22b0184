"""What a verification can find, by code."""

from dataclasses import dataclass
from enum import StrEnum

from exchange.clearing.book import Document


class Code(StrEnum):
    """The rules of an outcome; TIE, PR_SELL and PR_BUY are the strict ones, all others are hard."""

    FORMAT = "FORMAT"
    OVERSELL = "OVERSELL"
    NEEDS = "NEEDS"
    WINDOW = "WINDOW"
    LEVEL = "LEVEL"
    FILL = "FILL"
    SITE = "SITE"
    PRICE = "PRICE"
    IR_SELL = "IR_SELL"
    IR_BUY = "IR_BUY"
    BUDGET = "BUDGET"
    MERIT = "MERIT"
    WELFARE = "WELFARE"
    TIE = "TIE"
    PR_SELL = "PR_SELL"
    PR_BUY = "PR_BUY"


STRICT_CODES = frozenset({Code.TIE, Code.PR_SELL, Code.PR_BUY})


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule, and where."""

    code: Code
    message: str

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def to_document(self) -> Document:
        """Return the violation as JSON."""
        return {"code": self.code.value, "message": self.message}


@dataclass(frozen=True, slots=True)
class RejectedBlock:
    """A paradoxically rejected block: unfilled, and yet it would have gained ``surplus`` micros a lot."""

    order: str
    cell: str
    start: int
    surplus: int

    def to_document(self) -> Document:
        """Return the block as JSON."""
        return {"order": self.order, "cell": self.cell, "start": self.start, "surplus": self.surplus}


@dataclass(frozen=True)
class Report:
    """What a verification found."""

    violations: tuple[Violation, ...]
    rejected_blocks: tuple[RejectedBlock, ...] = ()

    @property
    def hard(self) -> tuple[Violation, ...]:
        """The violations that fail the outcome."""
        return tuple(violation for violation in self.violations if violation.code not in STRICT_CODES)

    @property
    def strict(self) -> tuple[Violation, ...]:
        """The violations of the strict rules."""
        return tuple(violation for violation in self.violations if violation.code in STRICT_CODES)
