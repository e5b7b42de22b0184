"""The round itself: gate, clearing, settlement and publication, each with its time."""

import cProfile
import pstats
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType

from accounts.foundation import clock
from accounts.jobs import doorbell
from benchmarks.books import recipe
from benchmarks.books.recipe import Size
from benchmarks.rounds import stage
from config import schema
from config.audit import checks
from exchange.auctions import clear, gates, settle
from exchange.auctions.models import RoundOrder
from exchange.clearing import engine
from exchange.leases.models import Lease
from exchange.rounds.models import Round
from exchange.rounds.rules import RoundStatus
from exchange.trades.models import Trade

__all__ = ["Size", "a_round"]

Seconds = dict[str, float]


def a_round(size: Size, *, seed: int, profiled: str) -> None:
    """Play a round of a book in an empty database; print its times and whether the audit finds anything."""
    schema.bring_up_to_date()
    stage.load(recipe.book(size, seed), slots=size.slots)
    clock.set_virtual(stage.GATE)
    doorbell.ring()  # a worker has its connection to the broker already
    seconds: Seconds = {}
    _count_inside(engine, "clear", seconds, "engine")
    _count_inside(settle, "publish", seconds, "publish")
    with _counted("freeze", seconds, profiled):
        (round_id,) = gates.close_due(now=stage.GATE)
    with _counted("clear", seconds, profiled):
        clear.clear_round(str(round_id), {}, renew=_nothing)
    with _counted("settle", seconds, profiled):
        settle.settle_round(str(round_id), {}, renew=_nothing)
    assert Round.objects.get(id=round_id).status == RoundStatus.PUBLISHED
    seconds["verify and store"] = seconds.pop("clear") - seconds["engine"]
    seconds["settle"] -= seconds["publish"]
    for name in ("freeze", "engine", "verify and store", "settle", "publish"):
        print(f"{name:<18} {seconds[name]:8.2f} s")
    entries = RoundOrder.objects.filter(round_id=round_id)
    print(
        f"{entries.count()} orders, {entries.filter(filled_unit_hours__gt=0).count()} filled, "
        f"{Trade.objects.count()} trades, {Lease.objects.count()} leases; "
        f"settled at {1000 * seconds['settle'] / entries.count():.2f} ms an order"
    )
    whole = sum(seconds.values())
    print(f"gate to published  {whole:8.2f} s, {whole / seconds['engine']:.2f} x the engine's own time")
    print(f"invariants of the audit that do not hold: {', '.join(checks.violated()) or 'none'}")


def _nothing() -> None:
    """Stand in for the renewal of a job's lease: there is no job."""


@contextmanager
def _counted(name: str, seconds: Seconds, profiled: str) -> Iterator[None]:
    profile = cProfile.Profile()
    began, worked = time.perf_counter(), time.process_time()
    if name == profiled:
        profile.enable()
    yield
    profile.disable()
    seconds[name] = time.perf_counter() - began
    print(f"{name:<18} {seconds[name]:8.2f} s, of which {time.process_time() - worked:.2f} s this process's own work")
    if name == profiled:
        pstats.Stats(profile, stream=sys.stdout).sort_stats("cumulative").print_stats(80)


def _count_inside(module: ModuleType, name: str, seconds: Seconds, label: str) -> None:
    """Have a function of a module count its own seconds."""
    inner: Callable[..., object] = getattr(module, name)

    def outer(*args: object, **options: object) -> object:
        began = time.perf_counter()
        try:
            return inner(*args, **options)
        finally:
            seconds[label] = seconds.get(label, 0.0) + time.perf_counter() - began

    setattr(module, name, outer)
