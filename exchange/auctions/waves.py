"""The waves of a large book's search, shared out among the workers as job rows.

The worker that clears a round writes down each wave: the state before it and its batches. Any worker may compute a
batch from the stored snapshot, and the first answer is kept; it is a pure function of what is written down, so a
second one would be equal. The clearing worker takes batches too, from the other end, and goes on when all have an
answer. More machines mean more workers, nothing else; a killed worker's batches are computed by the rest.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from accounts.foundation import clock
from accounts.jobs import services as jobs
from accounts.jobs.registry import Renew
from exchange.auctions.models import SearchAnswer, SearchBatch, SearchWave
from exchange.clearing import parsing
from exchange.clearing.errors import EngineFault
from exchange.clearing.large import market as markets
from exchange.clearing.large import neighbourhoods, wire
from exchange.clearing.large.market import Market
from exchange.clearing.large.neighbourhoods import Answer, Batch, Effort
from exchange.clearing.large.state import State
from exchange.clearing.solver import Highs
from exchange.rounds.models import RoundSnapshot

COMPUTE_BATCH: Final = "compute_batch"


class Waves:
    """Computes the waves of one round, alone or with whoever helps; given to the engine as its ``run``."""

    def __init__(self, snapshot: RoundSnapshot, renew: Renew) -> None:
        self._snapshot = snapshot
        self._renew = renew
        self._number = 0

    def __call__(self, state: State, batches: Sequence[Batch], effort: Effort) -> list[Answer | None]:
        """Return the answers to the batches, in their order."""
        number, self._number = self._number, self._number + 1
        rows = _write_down(self._snapshot, number, state, batches, effort)
        for row in reversed(rows):
            self._renew()
            if not SearchAnswer.objects.filter(batch=row).exists():
                _answer(row, neighbourhoods.solve(state.market, state, wire.read_batch(row.places), effort, Highs()))
        known = {answer.batch_id: answer.document for answer in SearchAnswer.objects.filter(batch__in=rows)}
        return [wire.read_answer(batch, known[row.id]) for batch, row in zip(batches, rows, strict=True)]


def compute_batch(key: str, payload: Mapping[str, Any], *, renew: Renew) -> None:
    """Answer the batch with this id, unless somebody has; safe to repeat, also at the same time."""
    row = SearchBatch.objects.select_related("wave").get(pk=UUID(key))
    if SearchAnswer.objects.filter(batch=row).exists():
        return
    wave = row.wave
    snapshot = RoundSnapshot.objects.get(round_id=wave.round_id)
    market = _market(snapshot.digest, snapshot.text)
    renew()
    state = wire.read_state(market, wave.allocation)
    _answer(row, neighbourhoods.solve(market, state, wire.read_batch(row.places), Effort(**wave.effort), Highs()))


@transaction.atomic
def _write_down(
    snapshot: RoundSnapshot, number: int, state: State, batches: Sequence[Batch], effort: Effort
) -> list[SearchBatch]:
    """Return the rows of a wave's batches; those of an earlier, interrupted clearing if they say the same."""
    now = clock.now()
    before = {"allocation": wire.state_document(state), "effort": wire.effort_document(effort)}
    wave, is_new = SearchWave.objects.get_or_create(
        round_id=snapshot.round_id, number=number, defaults=before | {"created_at": now}
    )
    places = [wire.batch_document(batch) for batch in batches]
    if is_new:
        rows = [
            SearchBatch(wave=wave, place=place, places=document, created_at=now)
            for place, document in enumerate(places)
        ]
        SearchBatch.objects.bulk_create(rows)
        for row in rows:
            jobs.enqueue(COMPUTE_BATCH, str(row.id), {}, now=now)
        return rows
    rows = list(wave.batches.order_by("place"))
    if {"allocation": wave.allocation, "effort": wave.effort} != before or [row.places for row in rows] != places:
        raise EngineFault(
            (f"WAVE: wave {number} differs from the one that an earlier clearing of the book wrote down",)
        )
    return rows


def _answer(row: SearchBatch, answer: Answer | None) -> None:
    SearchAnswer.objects.bulk_create(
        [SearchAnswer(batch=row, document=wire.answer_document(answer), created_at=clock.now())], ignore_conflicts=True
    )


@lru_cache(maxsize=1)
def _market(digest: str, text: str) -> Market:
    market = markets.build(parsing.parse_book(text))
    assert market is not None, "only books that fit into arrays are searched in waves"
    return market
