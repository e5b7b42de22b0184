"""From a found allocation to what is published: prices, trades, welfare, and the certificate of its bound."""

import numpy as np

from exchange.clearing.certificate import Certificate, Vector
from exchange.clearing.errors import EngineFault
from exchange.clearing.large import pricing, settle
from exchange.clearing.large.certificate import upper_bound
from exchange.clearing.large.market import Market
from exchange.clearing.large.search import Found
from exchange.clearing.large.tables import Ints
from exchange.clearing.outcome import Outcome


def publish(market: Market, found: Found) -> tuple[Outcome, Certificate]:
    """Return the outcome and its certificate; raises EngineFault when the replay disagrees with the search."""
    state = found.state
    centred = pricing.centred(state, found.intervals, found.floors)
    on_offer = market.stacks.capacity > 0
    cheapest = market.stacks.reserve[:, :, 0]
    # Idle supply is priced at its cheapest reserve, and not at all where unmet demand stands above that.
    published = found.intervals.traded | (on_offer & (found.intervals.unmet <= cheapest))
    prices = np.where(found.intervals.traded, centred, np.maximum(cheapest, found.intervals.unmet))
    trades, welfare = settle.trades(state, prices)
    if welfare != state.welfare:
        raise EngineFault((f"WELFARE: the replay gives {welfare}, the search {state.welfare}",))
    proof = Certificate(settlement=_vector(market, prices), duals=_vector(market, found.duals))
    runs = settle.price_runs(market, prices, published)
    return Outcome(prices=runs, trades=trades, welfare=welfare, bound=proof.bound), proof


def _vector(market: Market, prices: Ints) -> Vector:
    return Vector(settle.price_runs(market, prices, market.stacks.capacity > 0), upper_bound(market, prices))
