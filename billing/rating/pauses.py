"""Charging what was paused, once its time has passed: until then the buyer may take it up again."""

from collections.abc import Iterable
from datetime import datetime

from billing.contracts import queries
from billing.contracts.models import Contract
from billing.rating import charges, store
from billing.rating.charges import ChargeKind
from billing.rating.models import Charge
from catalog.measures.interval import Interval


def rate(contract: Contract, *, until: datetime, cuts: Iterable[datetime], now: datetime) -> int:
    """Charge what stays due of paused units, piece by piece as pieces end by `until`; return how many pieces.

    Nothing was paused any more once the contract had ended before its time. The caller holds the contract's lock.
    Safe to repeat.
    """
    cuts = tuple(cuts)
    over_at = contract.ends_at if contract.ended_at is None else min(contract.ends_at, contract.ended_at)
    rows = []
    for pause in queries.pauses(contract):
        held = queries.interval_of(pause)
        part = held and held.intersect(Interval(contract.starts_at, over_at))
        if part is None:
            continue
        slot = queries.terms_of(pause.slot)
        due = charges.due_charges(ChargeKind.PAUSED, slot, part, pause.quantity, credit_ppm=pause.credit_ppm, cuts=cuts)
        every = store.due_rows(contract.id, pause.slot_id, due, now=now, pause=pause)
        rows += [row for row in every if row.ends_at <= min(until, now)]
    Charge.objects.bulk_create(rows, batch_size=1_000, ignore_conflicts=True)  # charged before: the same pieces
    return len(rows)
