"""Everything that does not match, found by looking at the rows from the outside."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from accounts.actors.actor import Actor, Capability
from billing.reconciliation import documents, money, usage
from billing.reconciliation.rules import Item, ItemKind

PER_KIND: Final = 200  # a kind with more says so, and shows its oldest

# One query for each kind: (now, limit) -> items, oldest first.
CHECKS: Final[Mapping[ItemKind, Callable[[datetime, int], Sequence[Item]]]] = {
    ItemKind.TOP_UP_AWAITED: money.awaited_top_ups,
    ItemKind.RECEIPT_UNMATCHED: money.unmatched_receipts,
    ItemKind.SUSPENSE_DIFFERENCE: money.suspense_differences,
    ItemKind.TOP_UP_POSTING: money.top_up_postings,
    ItemKind.POSTING_WITHOUT_SOURCE: documents.postings_without_source,
    ItemKind.WALLET_OVERDRAWN: money.overdrawn_wallets,
    ItemKind.RELEASE_OVERDUE: money.overdue_releases,
    ItemKind.PAYABLE_DIFFERENCE: money.payable_differences,
    ItemKind.CONTRACT_NOT_SETTLED: documents.contracts_not_settled,
    ItemKind.DOCUMENT_POSTING: documents.postings_unlike_documents,
    ItemKind.INVOICE_PAST_DUE: documents.invoices_past_due,
    ItemKind.USAGE_CONFLICT: usage.conflicts,
    ItemKind.USAGE_REJECTED: usage.rejections,
}

_NO_TIME: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Unmatched:
    """What does not match, oldest first; differences of whole accounts have no age and stand first."""

    at: datetime
    items: tuple[Item, ...]
    cut_kinds: tuple[ItemKind, ...]  # kinds with more items than are shown


def unmatched_items(actor: Actor, *, now: datetime) -> Unmatched:
    """Return every item that does not match, for those who read the books."""
    actor.require(Capability.VIEW_BOOKS)
    found = {kind: check(now, PER_KIND + 1) for kind, check in CHECKS.items()}
    items = [item for rows in found.values() for item in rows[:PER_KIND]]
    return Unmatched(
        at=now,
        items=tuple(sorted(items, key=lambda item: item.since or _NO_TIME)),
        cut_kinds=tuple(kind for kind, rows in found.items() if len(rows) > PER_KIND),
    )
