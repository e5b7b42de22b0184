"""Handing units of a contract back before their time: credited as the contract states, the rest billed once."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from accounts.actors.actor import Actor
from billing.contracts import queries, rules
from billing.contracts import services as contracts
from billing.contracts.models import Contract
from billing.contracts.rules import Released
from billing.contracts.terms import Terms
from billing.ledger import services as ledger
from billing.rating import charges, periods, store
from billing.rating.charges import ChargeKind
from billing.rating.models import Charge
from catalog.measures.interval import Interval


def hand_back(
    actor: Actor,
    contract: Contract,
    *,
    offering_id: UUID,
    interval: Interval,
    quantity: int,
    now: datetime,
    promised: Iterable[Released] = (),
) -> int:
    """Release units from a contract, charge what stays due of their price and free what was held for the rest.

    `promised` units are on offer to others and stay. The caller holds the contract's lock, inside its transaction, and
    has checked that nothing was reported for the interval. Returns what is credited of their value, rounded down, in
    minor units. Raises ContractIsOver, NothingToHandBack, NotReturnable.
    """
    before_minor = queries.credited_minor(contract)
    made = contracts.release(
        actor, contract, offering_id=offering_id, interval=interval, quantity=quantity, promised=promised, now=now
    )
    agreed = Terms.from_document(contract.terms)
    window = Interval(contract.starts_at, contract.ends_at)
    cuts = sorted({*charges.cuts_of(agreed), *periods.month_cuts(agreed, window)})
    slots = {slot.id: queries.terms_of(slot) for slot in contract.slots.all()}
    Charge.objects.bulk_create(
        charge
        for row in made
        for charge in store.due_rows(
            contract.id,
            row.slot_id,
            charges.due_charges(
                ChargeKind.RETURNED,
                slots[row.slot_id],
                Interval(row.starts_at, row.ends_at),
                row.quantity,
                credit_ppm=row.credit_ppm,
                cuts=cuts,
            ),
            now=now,
            release=row,
        )
    )
    credited_minor = queries.credited_minor(contract) - before_minor
    _free(contract, credited_minor, agreed, coins=len(made), now=now)
    return credited_minor


def _free(contract: Contract, credited_minor: int, agreed: Terms, *, coins: int, now: datetime) -> None:
    """Give back what was held for the credited value, less the coins that more lines may round to."""
    freed_minor = rules.share_of_hold(credited_minor, agreed).total_minor - 2 * coins
    freed_minor = min(contract.held_minor, freed_minor)
    if contract.hold_id is None or freed_minor <= 0:
        return
    ledger.change_hold(contract.hold_id, by_minor=-freed_minor, now=now)
    contract.held_minor -= freed_minor
    contract.save(update_fields=["held_minor"])
