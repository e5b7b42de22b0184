"""A cleared round and its two leases: Huailai's 16 cards for Beichen all day, Zhangbei's 12 for Lanting by day."""

from dataclasses import dataclass
from datetime import datetime

from accounts.actors.actor import Actor, Capability
from accounts.foundation import clock
from accounts.organisations.models import Organisation
from exchange.auctions import clear, gates, settle
from exchange.leases.models import Lease
from exchange.rounds.models import Round
from tests.catalog.cast import acting_for
from tests.exchange import cast
from tests.exchange.cast import GATE, Story

DELIVERING = frozenset({Capability.DELIVER, Capability.METER, Capability.VIEW_SELLING})


@dataclass(frozen=True)
class Delivery:
    """The story after its round, with the agents that deliver."""

    story: Story
    round: Round
    lease: Lease  # Huailai's
    other: Lease  # Zhangbei's
    huailai_agent: Actor
    zhangbei_agent: Actor


def cleared(story: Story) -> Delivery:
    """Run the story's round; the clock stands at the gate."""
    cast.place_offer(story, story.huailai, story.huailai_cards, "8.00")
    cast.place_offer(story, story.zhangbei, story.zhangbei_cards, "10.00")
    cast.place_order(story.beichen, cast.block(story, "12.50"))
    cast.place_order(story.lanting, cast.hourly(story, "11.00"))
    at(GATE)
    gates.close_due(now=GATE)
    round_ = Round.objects.get(market=story.market, scheduled_at=GATE)
    clear.clear_round(str(round_.id), {}, renew=lambda: None)
    settle.settle_round(str(round_.id), {}, renew=lambda: None)
    return Delivery(
        story=story,
        round=Round.objects.get(id=round_.id),
        lease=Lease.objects.get(provider_id=story.huailai.organisation()),
        other=Lease.objects.get(provider_id=story.zhangbei.organisation()),
        huailai_agent=agent(story.huailai),
        zhangbei_agent=agent(story.zhangbei),
    )


def agent(seller: Actor) -> Actor:
    """Return the agent of a seller's organisation."""
    return acting_for(Organisation.objects.get(id=seller.organisation()), DELIVERING)


def at(instant: datetime) -> datetime:
    """Move the clock and return the instant."""
    clock.set_virtual(instant)
    return instant
