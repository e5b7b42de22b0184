"""A cleared round and its two leases: Huailai's 16 cards for Beichen all day, Zhangbei's 12 for Lanting by day."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from accounts.actors.actor import Actor, Capability
from accounts.foundation import clock, ids
from accounts.organisations.models import Organisation
from billing.contracts.models import Contract
from billing.invoices import services as invoices
from billing.invoices.models import Invoice
from config.audit.checks import ALL
from exchange.agents import services as agents
from exchange.agents.plan import Behaviour
from exchange.auctions import clear, gates, settle
from exchange.leases import queries, ticks
from exchange.leases.models import Lease
from exchange.leases.rules import Rectangle
from exchange.rounds.models import Round
from tests.catalog.cast import acting_for
from tests.exchange import cast
from tests.exchange.cast import GATE, HOUR, D, Story

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


# All but M8: rounds after the one at hand are left alone here.
CHECKED = {one.code for one in ALL if one.code[0] in "MUI"} - {"M8"}
BOOKS = Actor.system("test")


def violated() -> list[str]:
    """Which invariants of market, usage and documents do not hold."""
    with connection.cursor() as cursor:
        return [one.code for one in ALL if one.code in CHECKED and one.check(cursor).violations]


def part(quantity: int, first: int, last: int) -> Rectangle:
    return Rectangle(quantity, D + first * HOUR, D + last * HOUR)


def owed(lease: Lease) -> list[tuple[int, int, int]]:
    """What is owed: units, first hour and end hour of D."""
    runs = queries.owed(Lease.objects.select_related("contract").get(id=lease.id))
    return [(run.quantity, (run.starts_at - D) // HOUR, (run.ends_at - D) // HOUR) for run in runs]


def deliver(delivery: Delivery, lease: Lease) -> None:
    """Let the simulated agent deliver what is owed to the end, and let the reports close."""
    lease.provider.simulated_agent = True
    lease.provider.save(update_fields=["simulated_agent"])
    plain = Behaviour(readings=(), step=HOUR)
    for hour in range(-1, 26):
        now = at(D + hour * HOUR)
        agents.serve(now=now, behaviours={lease.id: plain})
        ticks.run_due(now=now)


def billed(contract: Contract) -> tuple[Invoice, Invoice]:
    now = at(D + 26 * HOUR)
    invoice = invoices.invoice_contract(BOOKS, contract.id, now=now)
    statement = invoices.issue_statement(BOOKS, contract.id, now=now)
    assert invoice is not None
    assert statement is not None
    return invoice, statement


def lines(invoice: Invoice) -> list[tuple[str, int]]:
    return list(invoice.lines.order_by("n").values_list("kind", "amount_minor"))


def segment(lease: Lease, first: int, last: int, quantity: int) -> dict[str, Any]:
    data = {
        "lease": ids.spell("lse", lease.id),
        "start": (D + first * HOUR).isoformat(),
        "end": (D + last * HOUR).isoformat(),
        "quantity": quantity,
    }
    return {
        "specversion": "1.0",
        "id": f"{first}-{last}",
        "source": "/agent",
        "type": "exchange.allocation.segment.v1",
        "data": data,
    }
