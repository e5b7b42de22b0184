"""One frozen book, cleared again and again by crews of Celery workers."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.db import transaction

from accounts.foundation import clock, ids
from accounts.jobs import doorbell
from accounts.jobs import services as jobs
from benchmarks.books import recipe
from benchmarks.books.recipe import Size
from benchmarks.rounds import stage
from config import schema
from exchange.auctions import gates
from exchange.auctions.models import SearchBatch
from exchange.clearing import book as books
from exchange.clearing import engine
from exchange.clearing.book import Book
from exchange.markets.models import Market
from exchange.rounds.models import Round, RoundOutcome, RoundSnapshot
from exchange.rounds.rules import RoundStatus

__all__ = ["Size", "all_agree"]

START_SECONDS = 120
PATIENCE_SECONDS = 1_200
RING_SECONDS = 1.0


def all_agree(size: Size, *, seed: int, crews: Sequence[int]) -> bool:
    """Clear the book here and by each crew; print the times and return whether every outcome has the same bytes."""
    schema.bring_up_to_date()
    market = stage.load(recipe.book(Size(4, 4, size.slots, size.grid), seed), slots=size.slots)
    clock.set_virtual(stage.GATE)
    book = named(recipe.book(size, seed))
    began = time.perf_counter()
    here = engine.clear(book).outcome
    alone = time.perf_counter() - began
    print(f"in process  {alone:7.1f} s  outcome {here.digest()}", flush=True)
    agree = True
    for workers in crews:
        with hired(workers):
            began = time.perf_counter()
            round_ = frozen(market, book, gate=stage.GATE - timedelta(days=workers))
            outcome = awaited(round_)
            seconds = time.perf_counter() - began
        agree &= outcome.text == here.canonical_bytes().decode()
        batches = SearchBatch.objects.filter(wave__round=round_).count()
        print(
            f"{workers} worker{'s' if workers > 1 else ' '}   {seconds:7.1f} s  outcome {outcome.digest}, "
            f"{batches} batches, {seconds / alone:.2f} x in process",
            flush=True,
        )
    return agree


def named(book: Book) -> Book:
    """Return the book with ids as rows have them, so that a round of it can be published."""
    return books.canonical(
        replace(
            book,
            offers=tuple(replace(row, id=ids.spell("off", UUID(int=row.seq))) for row in book.offers),
            orders=tuple(replace(row, id=ids.spell("ord", UUID(int=row.seq))) for row in book.orders),
        )
    )


@contextmanager
def hired(workers: int, *, environment: Mapping[str, str] = os.environ) -> Iterator[None]:
    """Run so many Celery workers, each a process of one thread, while the context lasts; all of them are ready in it.

    Raises TimeoutError when one is not ready in time, ChildProcessError when one has ended before. Each leaves a file
    when it is ready. Celery's ping does not tell: asked twice a second, it misses the answers to every other question.
    """
    command = [sys.executable, "-m", "celery", "--quiet", "-A", "config.celery", "worker", "--pool", "solo"]
    with tempfile.TemporaryDirectory(prefix="crew-") as folder:
        places = [Path(folder, f"w{number}") for number in range(workers)]
        crew: list[subprocess.Popen[bytes]] = []
        try:
            for place in places:
                place.mkdir()
                variables = {**environment, "EXCHANGE_RUN": str(place)}
                crew.append(subprocess.Popen([*command, "--hostname", f"{place.name}@crew"], env=variables))
            _await_all(crew, places)
            yield
        finally:
            for worker in crew:
                worker.terminate()
            for worker in crew:
                worker.wait()


def _await_all(crew: Sequence[subprocess.Popen[bytes]], places: Sequence[Path]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not all((place / "worker").exists() for place in places):
        if any(worker.poll() is not None for worker in crew):
            raise ChildProcessError("a worker ended before it was ready")
        if time.monotonic() > deadline:
            raise TimeoutError(f"not every worker was ready within {START_SECONDS} s")
        time.sleep(0.1)


@transaction.atomic
def frozen(market: Market, book: Book, *, gate: datetime) -> Round:
    """Return a round of the book that waits to be cleared, as a gate leaves it."""
    round_ = Round.objects.create(
        market=market,
        scheduled_at=gate,
        locks_at=gate,
        status=RoundStatus.GATED,
        rules_version=1,
        created_at=gate,
        gated_at=gate,
    )
    RoundSnapshot.objects.create(
        round=round_,
        text=book.canonical_bytes().decode(),
        digest=books.digest(book),
        salt=bytes(32),
        gate_seq=1,
        first_slot=min(offer.t0 for offer in book.offers),
        end_slot=max(offer.t1 for offer in book.offers),
        created_at=gate,
    )
    jobs.enqueue(gates.CLEAR_ROUND, str(round_.id), {}, now=clock.now())
    return round_


def awaited(round_: Round) -> RoundOutcome:
    """Return the outcome of a round when there is one; rings now and then as the beat does, for rings get lost."""
    began = time.monotonic()
    rung = began
    while (found := RoundOutcome.objects.filter(round=round_).first()) is None:
        now = time.monotonic()
        assert now < began + PATIENCE_SECONDS, "the round is not cleared"
        if now > rung + RING_SECONDS:
            doorbell.ring()
            rung = now
        time.sleep(0.1)
    return found
