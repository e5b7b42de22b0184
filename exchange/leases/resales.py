"""Selling hours of a lease back: offered in the next rounds, and taken over by whoever buys them there.

The provider delivers them either way. What is sold leaves the lease when the round's trades are settled (see
`exchange.auctions.resales`); what that is billed as is in `billing.rating.resales`.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.organisations.models import Organisation
from accounts.organisations.rules import OrganisationStatus
from billing.contracts import queries as contract_queries
from billing.contracts import rules as contract_rules
from billing.contracts import services as contracts
from billing.contracts.errors import ContractIsOver
from billing.contracts.models import Contract
from billing.contracts.rules import ContractStatus
from catalog.measures.interval import Interval
from exchange.leases import queries, returns, rules, services
from exchange.leases.errors import (
    LeaseNotFound,
    NothingToSellBack,
    NotResellable,
    ResaleInvalid,
    ResellerNotActive,
)
from exchange.leases.models import Lease
from exchange.leases.rules import EndReason, Rectangle
from exchange.markets import queries as markets
from exchange.offers import queries as offer_queries
from exchange.offers import services as offers
from exchange.offers.models import Offer
from exchange.offers.rules import OfferTerms
from exchange.rounds import services as rounds


@dataclass(frozen=True, slots=True)
class SellBack:
    """Units of a lease, from then to then, and the lowest price per unit-hour that their buyer takes for them."""

    rectangle: Rectangle
    reserve_micros: int


@transaction.atomic
def sell_back(actor: Actor, lease_id: UUID, spec: SellBack, *, now: datetime) -> Offer:
    """Offer a rectangle of an own lease in the next rounds, until it is sold, withdrawn or past its time.

    What is on offer cannot be handed back, paused or offered again. Raises LeaseNotFound, LeaseIsOver, MarketSuspended,
    ResellerNotActive, ResaleInvalid, ContractIsOver, NothingToSellBack, NotResellable, OfferingNotTraded, OfferInvalid,
    OwnOrderCouldMeet.
    """
    actor.require(Capability.TRADE)
    _check_active(actor)
    read = Lease.objects.select_related("contract").filter(id=lease_id, buyer_id=actor.organisation()).first()
    if read is None:
        raise LeaseNotFound
    # The round before the lease, in the order of the house.
    market = markets.trading(queries.market_of(read).id)
    entry = rounds.join_open_round(market, now=now)
    lease = services.bought(actor, lease_id)
    rectangle = spec.rectangle
    problems = tuple(rules.resale_problems(rectangle, starts_at=lease.starts_at, ends_at=lease.ends_at))
    if problems:
        raise ResaleInvalid("The units cannot be sold back like this.", problems)
    contract = contracts.locked(lease.contract_id)
    terms = OfferTerms(rectangle.quantity, rectangle.starts_at, rectangle.ends_at, spec.reserve_micros)
    if rectangle.starts_at < rectangle.ends_at:  # else the market's rules name what is wrong
        _check_left(contract, lease, rectangle)
    return offers.place_back(actor, market, contract, lease.offering_id, terms, entry=entry)


@transaction.atomic
def withdraw(actor: Actor, lease_id: UUID, offer_id: UUID, *, now: datetime) -> Offer:
    """Take what is not sold of it off the market; it is the buyer's to use, hand back or pause again.

    Raises LeaseNotFound, OfferNotFound, OfferMoveRefused, OfferInRound, NoCancelPhase, OfferChangedMeanwhile.
    """
    actor.require(Capability.TRADE)
    offer = queries.resale(actor, lease_id, offer_id)
    if offer.seller_id != actor.organisation():
        raise LeaseNotFound
    return offers.take_off(actor, offer, now=now)


def shorten(actor: Actor, lease: Lease, *, now: datetime) -> None:
    """Let a locked lease begin and end with what is left after hours of it were sold; one that is over stays so."""
    if lease.status not in rules.OVER:
        returns.fit(actor, lease, EndReason.RESOLD, now=now)
    services.tell(lease, "lease.resold", now=now)


def _check_active(actor: Actor) -> None:
    seller = Organisation.objects.get(id=actor.organisation())
    if seller.status != OrganisationStatus.ACTIVE:
        raise ResellerNotActive(seller.status)


def _check_left(contract: Contract, lease: Lease, rectangle: Rectangle) -> None:
    if ContractStatus(contract.status) in contract_rules.OVER:
        raise ContractIsOver(contract.status)
    window = Interval(rectangle.starts_at, rectangle.ends_at)
    runs = [run for _, run in contract_queries.owed(contract) if run.offering_id == lease.offering_id]
    promised = offer_queries.promised(contract.id, lease.offering_id)
    left = contract_rules.least(runs, window, promised)
    if left < rectangle.quantity:
        raise NothingToSellBack(rectangle.quantity, left)
    if any(run.resale_commission_ppm is None for run in runs if run.interval.overlaps(window)):
        raise NotResellable
