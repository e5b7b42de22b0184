"""States, batches and answers of a wave as plain documents, for whoever computes a batch elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from exchange.clearing.book import Document
from exchange.clearing.large.market import Market
from exchange.clearing.large.neighbourhoods import Answer, Batch, Effort
from exchange.clearing.large.state import State, usage
from exchange.clearing.large.tables import Ints


def state_document(state: State) -> Document:
    """Return what is not zero, as [place, lots]."""
    return {"lots": _sparse(state.lots), "fills": _sparse(state.fills)}


def read_state(market: Market, document: Mapping[str, Sequence[Sequence[int]]]) -> State:
    """Return the state of a document over the same market."""
    lots = _dense(document["lots"], len(market.groups.cell))
    fills = _dense(document["fills"], len(market.hourly))
    return State(market, lots, fills, usage(market, lots, fills))


def batch_document(batch: Batch) -> Document:
    """Return a batch's places."""
    return {
        "alternatives": batch.alternatives.tolist(),
        "choices": batch.choices.tolist(),
        "most": batch.most.tolist(),
    }


def read_batch(document: Mapping[str, Sequence[int]]) -> Batch:
    """Return the batch of a document."""
    return Batch(_ints(document["alternatives"]), _ints(document["choices"]), _ints(document["most"]))


def effort_document(effort: Effort) -> Document:
    """Return how much a wave tries."""
    return asdict(effort)


def answer_document(answer: Answer | None) -> Document:
    """Return what a batch's places hold; nothing where the program found nothing better."""
    if answer is None:
        return {}
    return {"lots": answer.lots.tolist(), "fills": answer.fills.tolist(), "gain": answer.gain}


def read_answer(batch: Batch, document: Mapping[str, object]) -> Answer | None:
    """Return the answer of a document to its batch."""
    if not document:
        return None
    lots, fills, gain = document["lots"], document["fills"], document["gain"]
    assert isinstance(lots, list)
    assert isinstance(fills, list)
    assert isinstance(gain, int)
    return Answer(batch, _ints(lots), _ints(fills), gain)


def _sparse(values: Ints) -> list[list[int]]:
    places = np.flatnonzero(values)
    return [[place, lots] for place, lots in zip(places.tolist(), values[places].tolist(), strict=True)]


def _dense(pairs: Sequence[Sequence[int]], length: int) -> Ints:
    values = np.zeros(length, dtype=np.int64)
    for place, lots in pairs:
        values[place] = lots
    return values


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)
