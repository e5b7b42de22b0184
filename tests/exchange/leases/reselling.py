"""Lin's lease of 8 cards from 10 to 20 on D at 8.00, and the round at noon of D in which hours of it are sold back.

Huailai's other 8 cards stay on offer at 8.00; what is sold back cheaper meets a lower bid first.
"""

from dataclasses import dataclass
from datetime import datetime

from accounts.actors.actor import Actor
from accounts.foundation import clock
from exchange.agents import services as agents
from exchange.agents.plan import Behaviour
from exchange.auctions import clear, gates, settle
from exchange.leases import queries, resales, ticks
from exchange.leases.models import Lease
from exchange.leases.resales import SellBack
from exchange.offers.models import Offer
from exchange.orders import services as orders
from exchange.orders.models import Order
from exchange.orders.rules import OrderSpec
from exchange.rounds.models import Round
from tests.exchange import cast
from tests.exchange.cast import GATE, HOUR, D, Story
from tests.exchange.leases.delivery import at, part

SECOND_GATE = D + 12 * HOUR


@dataclass(frozen=True)
class Stage:
    """The story's people, Lin with a lease, and Mei with money."""

    story: Story
    lin: Actor
    mei: Actor
    lease: Lease

    def owed(self, lease: Lease | None = None) -> list[tuple[int, int, int]]:
        """Return what is owed of a lease, Lin's unless told: units, first hour and end hour of D."""
        found = Lease.objects.select_related("contract").get(id=(lease or self.lease).id)
        return [(run.quantity, (run.starts_at - D) // HOUR, (run.ends_at - D) // HOUR) for run in queries.owed(found)]


def staged(story: Story) -> Stage:
    """Run the first round; the clock stands at its gate."""
    lin, mei = cast.buyer("Lin Dynamics", "1100"), cast.buyer("Mei Vision", "700")
    cast.place_offer(story, story.huailai, story.huailai_cards, "8.00")
    cast.place_order(lin, cast.block(story, "12.00", quantity_max=8, first=10, last=20))
    run_round(story, GATE)
    lease = Lease.objects.select_related("contract", "provider").get(buyer_id=lin.organisation())
    lease.provider.simulated_agent = True
    lease.provider.save(update_fields=["simulated_agent"])
    return Stage(story, lin, mei, lease)


def sell_back(
    stage: Stage, quantity: int, first: int, last: int, reserve: str = "5.00", *, actor: Actor | None = None
) -> Offer:
    """Let Lin offer cards of some hours of D."""
    spec = SellBack(part(quantity, first, last), cast.micros(reserve))
    return resales.sell_back(actor or stage.lin, stage.lease.id, spec, now=clock.now())


def order(actor: Actor, spec: OrderSpec) -> Order:
    """Place an order now."""
    return orders.place(actor, spec, now=clock.now())


def run_round(story: Story, gate_at: datetime) -> Round:
    """Run a round from its gate to its trades; the clock stands at the gate."""
    at(gate_at)
    gates.close_due(now=gate_at)
    held = Round.objects.get(market=story.market, scheduled_at=gate_at)
    clear.clear_round(str(held.id), {}, renew=lambda: None)
    settle.settle_round(str(held.id), {}, renew=lambda: None)
    return Round.objects.get(id=held.id)


def serve(first: int, last: int, behaviours: dict[Lease, Behaviour] | None = None) -> None:
    """Let the simulated agent deliver what is owed, hour by hour of D, and let reports close."""
    told = {lease.id: behaviour for lease, behaviour in (behaviours or {}).items()}
    plain = Behaviour(readings=(), step=HOUR)
    for hour in range(first, last):
        now = at(D + hour * HOUR)
        everybody = dict.fromkeys(Lease.objects.values_list("id", flat=True), plain)
        agents.serve(now=now, behaviours=everybody | told)
        ticks.run_due(now=now)


def taken(stage: Stage) -> Lease:
    """Return Mei's lease."""
    return Lease.objects.select_related("contract").get(buyer_id=stage.mei.organisation())


def resold(stage: Stage, *, price_limit: str = "7.00", reserve: str = "5.00") -> Lease:
    """Deliver until noon, sell 4 cards from 14 to 17 back to Mei in the round at noon; return her lease.

    The price is centred between the reserve and her limit.
    """
    at(GATE + HOUR)
    sell_back(stage, 4, 14, 17, reserve)
    order(stage.mei, cast.hourly(stage.story, price_limit, quantity_max=4, first=14, last=17))
    serve(-1, 12)
    run_round(stage.story, SECOND_GATE)
    return taken(stage)
