"""What a round does to leases of which hours are sold back: other contracts take these over, the leases get shorter.

Part of settling orders, in their transactions: `locked` before anything is written, `settle` once there are contracts.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.actors.actor import Actor
from billing.contracts import resales
from billing.contracts.models import Contract, ContractResale
from billing.contracts.terms import SlotTerms
from exchange.leases import resales as leases
from exchange.leases.models import Lease
from exchange.offers.models import Offer


@dataclass(frozen=True)
class Origins:
    """The contracts that hours are sold back from, and their leases: locked."""

    contracts: Mapping[UUID, Contract]
    leases: Sequence[Lease]

    def taken_over(self, slots: Sequence[SlotTerms], origin_id: UUID | None) -> Sequence[SlotTerms]:
        """Return a new contract's schedule; of hours that are sold back with what their provider is paid."""
        return slots if origin_id is None else resales.taken_over(slots, self.contracts[origin_id])


def locked(offers: Iterable[Offer]) -> Origins:
    """Lock the leases and contracts behind what is sold back: leases first, as when one is handed back, each by id."""
    origin_ids = {offer.origin_id for offer in offers if offer.origin_id is not None}
    if not origin_ids:
        return Origins({}, ())
    found = Lease.objects.select_for_update(of=("self",)).filter(contract_id__in=origin_ids).order_by("id")
    own = list(found)
    contracts = Contract.objects.select_for_update(no_key=True).filter(id__in=origin_ids).order_by("id")
    return Origins({contract.id: contract for contract in contracts}, own)


def settle(actor: Actor, origins: Origins, opened: Collection[Contract], *, now: datetime) -> None:
    """Note under each origin what new contracts have taken over, and let its leases begin and end with what is left."""
    takers = [contract for contract in opened if contract.origin_id is not None]
    if not takers:
        return
    made = resales.record(actor, takers, now=now)
    for lease in origins.leases:
        if any(_is_of(one, lease) for one in made):
            leases.shorten(actor, lease, now=now)


def _is_of(resale: ContractResale, lease: Lease) -> bool:
    return (
        (resale.contract_id, resale.sold_as.offering_id) == (lease.contract_id, lease.offering_id)
        and resale.starts_at < lease.ends_at
        and lease.starts_at < resale.ends_at
    )
