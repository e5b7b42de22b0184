"""The tables of rules: which columns a row has, whether it fits to what holds already, and how it is added."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from accounts.foundation.errors import FieldProblem
from accounts.foundation.tables import Row
from billing.policies import tax_rates
from billing.policies.rules import KindName

Said = Mapping[str, str]


@dataclass(frozen=True)
class Kind:
    """One table. A row is read into texts, so that what two people agree on is what stands in the change."""

    required: Sequence[str]
    optional: Sequence[str]
    read: Callable[[Row], Said | None]
    problems: Callable[[Said, datetime], list[FieldProblem]]
    add: Callable[[Said], UUID]


KINDS: Final[Mapping[KindName, Kind]] = {
    KindName.TAX_RATE: Kind(tax_rates.REQUIRED, tax_rates.OPTIONAL, tax_rates.read, tax_rates.problems, tax_rates.add),
}
