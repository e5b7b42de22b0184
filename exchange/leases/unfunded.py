"""Handing back what is left of the leases of a wallet that ran out and was not topped up in its time."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from accounts.actors.actor import Actor, Capability
from accounts.foundation.failures import Failures
from billing.contracts.errors import ContractIsOver, NothingToHandBack, NotReturnable
from billing.landings import queries as landings
from billing.landings import services as landing_services
from billing.landings.models import WalletLanding
from billing.landings.rules import Stage
from exchange.leases import queries, returns, rules
from exchange.leases.errors import LeaseIsOver, ReturnInvalid, ReturnReported
from exchange.leases.models import Lease
from exchange.leases.rules import Rectangle

_LANDING: Final = Actor.system("landings")


def hand_back(*, now: datetime) -> int:
    """Hand leases of wallets in release back, those that end last first, until there is enough; return how many.

    What a contract has no return credit for stays, and so do hours within the provider's lead time.
    """
    failures, count = Failures(), 0
    for landing in landings.releasing():
        leases = Lease.objects.filter(
            buyer_id=landing.organisation_id, contract__currency=landing.currency, ends_at__gt=now
        ).exclude(status__in=rules.OVER)
        for lease in leases.select_related("contract").order_by("-ends_at", "-id"):
            with failures.kept(f"handing {lease.id} back"):
                if not _is_still_releasing(landing, now=now):
                    break
                count += any(_each_returned(lease, now=now))
    failures.raise_any()
    return count


def _is_still_releasing(landing: WalletLanding, *, now: datetime) -> bool:
    """Look at the wallet again: a top-up, or what the last lease gave back, may have been enough."""
    landing_services.look(landing.organisation_id, landing.currency, now=now)
    landing.refresh_from_db(fields=["status"])
    return landing.status == Stage.RELEASING


def _each_returned(lease: Lease, *, now: datetime) -> list[bool]:
    return [_returned(lease, part, now=now) for part in list(_left(lease, now=now))]


def _left(lease: Lease, *, now: datetime) -> Iterator[Rectangle]:
    first = rules.first_change(queries.market_of(lease).terms, now=now)
    for part in queries.free(lease):  # what is on offer to others may bring more
        if part.ends_at > first:
            yield replace(part, starts_at=max(part.starts_at, first))


def _returned(lease: Lease, part: Rectangle, *, now: datetime) -> bool:
    # The exchange acts for the buyer, with a buyer's right and no more.
    actor = replace(_LANDING, organisation_id=lease.buyer_id, capabilities=frozenset({Capability.TRADE}))
    try:
        returns.hand_back(actor, lease.id, part, now=now)
    except (ContractIsOver, LeaseIsOver, NothingToHandBack, NotReturnable, ReturnInvalid, ReturnReported):
        return False
    return True
