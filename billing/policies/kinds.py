"""The tables of rules: which columns a row has, whether it fits to what holds already, and how it is added."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from accounts.foundation.errors import FieldProblem
from accounts.foundation.tables import Row
from billing.bounds.models import BillBound
from billing.cards.models import RefundPolicy
from billing.landings.models import MAX_HOURS, LandingPolicy
from billing.payouts.models import PayoutPolicy
from billing.payouts.rules import Frequency
from billing.policies import dated, tax_rates
from billing.policies.dated import Said, Table
from billing.policies.rules import KindName
from billing.reconciliation.models import ClosingPolicy

_MOST: Final = 1_000_000  # of lines a day, and times the usual month
_MOST_DAYS: Final = 3_650


@dataclass(frozen=True)
class Kind:
    """One table. A row is read into texts, so that what two people agree on is what stands in the change."""

    required: Sequence[str]
    optional: Sequence[str]
    read: Callable[[Row], Said | None]
    problems: Callable[[Said, datetime], list[FieldProblem]]
    add: Callable[[Said, str], UUID]  # the row, and by whom
    spelled: Callable[[], list[dict[str, str]]]  # every row, the last first
    amounts: frozenset[str] = frozenset()  # columns that are money in the row's currency


def _of(table: Table) -> Kind:
    return Kind(table.required, table.optional, table.read, table.problems, table.add, table.spelled, table.amounts)


KINDS: Final[Mapping[KindName, Kind]] = {
    KindName.TAX_RATE: Kind(
        tax_rates.REQUIRED,
        tax_rates.OPTIONAL,
        tax_rates.read,
        tax_rates.problems,
        lambda said, _: tax_rates.add(said),
        tax_rates.spelled,
    ),
    KindName.REFUND_LIMIT: _of(
        Table(RefundPolicy, (dated.currency(), dated.money("alone_up_to", "alone_up_to_minor")), ("currency",))
    ),
    KindName.PAYOUT_TERMS: _of(
        Table(
            PayoutPolicy,
            (
                dated.organisation(),
                dated.currency(),
                dated.choice("frequency", [str(one) for one in Frequency]),
                dated.money("minimum", "minimum_minor", least=1),
                dated.percent("reserve_percent", "reserve_ppm"),
                dated.whole("reserve_days", least=0, most=_MOST_DAYS),
                dated.money("two_people_above", "two_people_above_minor"),
            ),
            ("organisation_id", "currency"),
        )
    ),
    KindName.LANDING_HOURS: _of(
        Table(
            LandingPolicy,
            (
                dated.whole("grace_hours", least=0, most=MAX_HOURS),
                dated.whole("notice_hours", least=0, most=MAX_HOURS),
            ),
            (),
        )
    ),
    KindName.CLOSING_THRESHOLD: _of(
        Table(ClosingPolicy, (dated.currency(), dated.money("threshold", "threshold_minor")), ("currency",))
    ),
    KindName.BILL_BOUND: _of(
        Table(
            BillBound,
            (
                dated.organisation(),
                dated.currency(),
                dated.money("line_amount", "line_minor", least=1),
                dated.money("document_total", "total_minor", least=1),
                dated.whole("lines_per_day", least=1, most=_MOST),
                dated.whole("usual_multiple", least=1, most=_MOST),
                dated.whole("trailing_days", least=1, most=_MOST_DAYS),
                dated.money("usual_from", "usual_from_minor"),
                dated.money("two_people_above", "two_people_above_minor"),
            ),
            ("organisation_id", "currency"),
            notes_author=True,
        )
    ),
}
