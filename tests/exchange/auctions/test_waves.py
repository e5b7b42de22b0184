"""A large book's search, shared out as job rows: the same bytes, whoever computes what."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from accounts.foundation import clock
from accounts.jobs import services as jobs
from benchmarks.books import recipe
from exchange.auctions.models import SearchAnswer, SearchBatch, SearchWave
from exchange.auctions.waves import Waves
from exchange.clearing import book as books
from exchange.clearing import engine
from exchange.clearing.book import Book
from exchange.clearing.errors import EngineFault
from exchange.clearing.large.neighbourhoods import Effort
from exchange.clearing.large.search import Limits as LargeLimits
from exchange.clearing.limits import DEFAULT
from exchange.rounds.models import Round, RoundSnapshot
from tests.exchange.cast import GATE, Story

ON_ARRAYS = replace(DEFAULT, large_orders=0, divisible=False)
SEARCH = LargeLimits(waves=(Effort(choices=40, reach=0.3), Effort(choices=60, reach=0.5)), larger=(), whole_binaries=0)


@pytest.fixture(scope="module")
def book() -> Book:
    """A book whose waves have several batches."""
    return recipe.book(recipe.Size(orders=160, offers=30, slots=24), 4)


@pytest.fixture
def snapshot(story: Story, book: Book) -> RoundSnapshot:
    """The book, frozen at a gate."""
    round_ = Round.objects.create(
        market=story.market,
        scheduled_at=GATE,
        locks_at=GATE,
        status="clearing",
        rules_version=1,
        created_at=GATE,
        gated_at=GATE,
    )
    return RoundSnapshot.objects.create(
        round=round_,
        text=book.canonical_bytes().decode(),
        digest=books.digest(book),
        salt=bytes(32),
        gate_seq=1,
        first_slot=0,
        end_slot=24,
        created_at=GATE,
    )


def cleared(book: Book, snapshot: RoundSnapshot, renew: Callable[[], None]) -> bytes:
    waves = Waves(snapshot, renew)
    return engine.clear(book, limits=ON_ARRAYS, large_limits=SEARCH, run=waves).outcome.canonical_bytes()


def alone() -> None:
    """Nobody else takes a batch."""


def another_worker_takes_one() -> None:
    jobs.run_due(limit=1, now=clock.now())


def test_one_worker_two_workers_and_no_rows_at_all_give_the_same_bytes(book: Book, snapshot: RoundSnapshot) -> None:
    here = engine.clear(book, limits=ON_ARRAYS, large_limits=SEARCH).outcome.canonical_bytes()

    assert cleared(book, snapshot, another_worker_takes_one) == here
    assert SearchWave.objects.count() >= len(SEARCH.waves)
    assert SearchBatch.objects.count() > len(SEARCH.waves)
    assert SearchAnswer.objects.count() == SearchBatch.objects.count()
    # All that is asked for again is answered already.
    assert cleared(book, snapshot, alone) == here


def test_the_program_of_a_whole_book_is_written_down_like_any_batch(book: Book, snapshot: RoundSnapshot) -> None:
    whole = LargeLimits()
    here = engine.clear(book, limits=ON_ARRAYS, large_limits=whole)
    shared = engine.clear(book, limits=ON_ARRAYS, large_limits=whole, run=Waves(snapshot, another_worker_takes_one))

    assert here.stats.to_document()["method"] == "whole program"
    assert SearchWave.objects.count() >= 1
    assert shared.outcome.canonical_bytes() == here.outcome.canonical_bytes()


def test_a_clearing_that_died_is_finished_from_what_is_written_down(book: Book, snapshot: RoundSnapshot) -> None:
    here = engine.clear(book, limits=ON_ARRAYS, large_limits=SEARCH).outcome.canonical_bytes()
    calls = iter(range(2))

    def dying() -> None:
        next(calls)

    with pytest.raises(StopIteration):
        cleared(book, snapshot, dying)
    answered = SearchAnswer.objects.count()
    assert 0 < answered < SearchBatch.objects.count()

    assert cleared(book, snapshot, alone) == here


def test_a_wave_that_says_something_else_is_a_fault(book: Book, snapshot: RoundSnapshot) -> None:
    cleared(book, snapshot, alone)
    other = replace(SEARCH, waves=(Effort(choices=50, reach=0.3),))

    with pytest.raises(EngineFault, match="wave 0 differs"):
        engine.clear(book, limits=ON_ARRAYS, large_limits=other, run=Waves(snapshot, alone))


def test_a_batch_that_is_answered_is_not_computed_again(book: Book, snapshot: RoundSnapshot) -> None:
    cleared(book, snapshot, alone)
    before = list(SearchAnswer.objects.order_by("batch_id").values_list("batch_id", "document"))

    assert jobs.run_due(limit=1_000, now=clock.now()) >= len(before)
    assert list(SearchAnswer.objects.order_by("batch_id").values_list("batch_id", "document")) == before
