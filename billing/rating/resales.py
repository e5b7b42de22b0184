"""Charging what was sold back: it follows, charge by charge, what is due under the contract that took it over.

Of every unit-hour that the new buyer owes a share of (all of it where it was delivered; less where they handed it back
or paused it; nothing where the provider failed), the same share of the price agreed first is due here, and of what the
new buyer owes all but the exchange's commission is credited. The provider is paid that share of the price agreed first,
under the new contract. So in each of these cases the exchange is left with its commission, and the provider with what
they would have had if nothing had been sold back.
"""

from collections.abc import Iterator
from datetime import datetime

from billing.contracts.models import Contract, ContractResale
from billing.rating.charges import ChargeKind
from billing.rating.models import DUE_IN_PART, Charge
from catalog.measures.rounding import PPM

# What is due under the new contract: delivered, or in part. What is missing there is due to nobody.
FOLLOWED = (ChargeKind.DELIVERED, *DUE_IN_PART, ChargeKind.RESOLD)


def follow(contract: Contract, *, until: datetime, now: datetime) -> int:
    """Charge what the contracts that took hours over were charged for these by `until`; return how many charges.

    They have been rated before; the caller holds the contract's lock. Safe to repeat.
    """
    resales = {
        resale.sold_as_id: resale for resale in ContractResale.objects.filter(contract=contract).select_related("slot")
    }
    due = (
        Charge.objects.filter(slot_id__in=resales, contract__origin=contract, kind__in=FOLLOWED, ends_at__lte=until)
        .filter(followed_by__isnull=True)
        .order_by("id")
    )
    rows = [row for charge in due if charge.slot_id for row in _following(resales[charge.slot_id], charge, now=now)]
    Charge.objects.bulk_create(rows, batch_size=1_000)
    return len(rows)


def _following(resale: ContractResale, charge: Charge, *, now: datetime) -> Iterator[Charge]:
    due_ppm = PPM if charge.due_ppm is None else charge.due_ppm
    # Unit-seconds are whole, so that a share in millionths of them is exact.
    owed = charge.raw_quantity * due_ppm / PPM
    run = resale.slot
    for kind, slot_id, price_micros, quantity, share_ppm in (
        (ChargeKind.RESOLD, run.id, run.price_micros, charge.raw_quantity, due_ppm),
        (ChargeKind.RESALE, None, resale.price_micros, owed, PPM - resale.commission_ppm),
    ):
        yield Charge(
            contract_id=resale.contract_id,
            n=0,
            kind=kind,
            offering_id=run.offering_id,
            slot_id=slot_id,
            unit=run.unit,
            price_micros=price_micros,
            base_quantity=charge.base_quantity,
            raw_quantity=quantity,
            raw_per_unit=charge.raw_per_unit,
            starts_at=charge.starts_at,
            ends_at=charge.ends_at,
            resale=resale,
            follows=charge,
            due_ppm=share_ppm,
            rated_at=now,
        )
