"""The drafts and the clock: orders of another seed of the same recipe, some of them made hard to fill."""

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from django.db import connection
from rest_framework.test import APIClient

from accounts.actors.actor import Actor, Capability
from accounts.foundation import clock
from accounts.organisations.models import Organisation
from benchmarks.books import recipe
from benchmarks.books.recipe import Size
from benchmarks.rounds import stage
from catalog.measures.price import format_micros
from config import schema
from exchange.clearing.book import Order, OrderKind

WARM_UP: Final = 10
ADDRESS: Final = "/v1/orders/preview"


def measure(size: Size, *, seed: int, drafts: int) -> None:
    """Write the book, ask for every draft once and print the quantiles, for drafts that fit and that do not."""
    schema.bring_up_to_date()
    market = stage.load(recipe.book(size, seed), slots=size.slots)
    clock.set_virtual(stage.ENTERED)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    buyer = Organisation.objects.filter(can_buy=True).order_by("name")[0]
    client = APIClient(SERVER_NAME="127.0.0.1")
    trader = Actor(buyer.id, None, None, frozenset({Capability.TRADE}), "benchmark")
    client.force_authenticate(user=None, token=trader)  # type: ignore[arg-type]  # what authentication gives a view
    bodies = list(_drafts(recipe.book(size, seed + 1).orders, market.code, tick=market.tick_micros, count=drafts))
    for body in bodies[:WARM_UP]:
        client.post(ADDRESS, body, format="json")
    seconds: dict[str, list[float]] = {"all": [], "something fits": [], "nothing fits": [], "own work": []}
    outlooks: Counter[str] = Counter()
    alternatives = 0
    for body in bodies:
        began, worked = time.perf_counter(), time.process_time()
        answer = client.post(ADDRESS, body, format="json")
        took = time.perf_counter() - began
        seconds["own work"].append(time.process_time() - worked)  # without the database and without waiting
        assert answer.status_code == 200, answer.json()
        seen = answer.json()
        outlooks[seen["share"]["outlook"]] += 1
        alternatives += len(seen["alternatives"])
        fits = "something fits" if seen["share"]["match"]["quantity"] else "nothing fits"
        for name in ("all", fits):
            seconds[name].append(took)
    print(f"{len(bodies)} drafts; {dict(outlooks)}; {alternatives} alternatives named")
    print("drafts         | number | p50 ms | p95 ms | p99 ms | most ms")
    for name, values in seconds.items():
        if values:
            quantiles = [sorted(values)[min(len(values) - 1, len(values) * share // 100)] for share in (50, 95, 99)]
            shown = " | ".join(f"{1_000 * value:6.1f}" for value in (*quantiles, max(values)))
            print(f"{name:<14} | {len(values):6} | {shown}")


def _drafts(orders: tuple[Order, ...], market: str, *, tick: int, count: int) -> Iterator[dict[str, Any]]:
    """Yield bodies: every third at half of its limit, every fifth with needs that few cells or none meet."""
    assert len(orders) >= count, "a draft is an order of the other book"
    for number, order in enumerate(orders[:count]):
        is_block = order.kind is OrderKind.BLOCK
        limit = order.limit if number % 3 else order.limit // 2
        needs = stage.needs_of(order.needs).to_document()
        if number % 5 == 0:
            needs["min_green_pct"] = 90
        body = {
            "market": market,
            "kind": order.kind.value,
            "quantity": order.qmax,
            "earliest_at": (stage.FIRST + order.earliest * stage.HOUR).isoformat(),
            "latest_at": (stage.FIRST + order.latest * stage.HOUR).isoformat(),
            "single_site": order.single_site,
            "needs": needs,
            "limit_price": format_micros(max(tick, limit - limit % tick), decimals=6),
        }
        if is_block:
            body |= {"min_quantity": order.qmin, "hours": order.hours}
        yield body
