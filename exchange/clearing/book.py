"""The book: a frozen, canonical picture of the offers and orders of one round.

Quantities count lots, prices are micros of the currency per lot-hour, a slot is an integer hour since the
market's slot zero, and every window is half-open ``[start, end)``. With a lot of one card these are cards and
card-hours. Build books through ``parsing``, which checks them; the classes here only hold values.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from exchange.clearing import canonical_json

Document: TypeAlias = dict[str, object]


class OrderKind(StrEnum):
    """How an order may be filled."""

    HOURLY = "hourly"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Attributes:
    """What is true of every card of a cell; None where the cell does not say."""

    model: str | None = None
    mem_gb: int | None = None
    tflops: int | None = None
    region: str | None = None
    green_pct: int | None = None
    security: int | None = None
    interconnect: str | None = None
    latency_ms: Mapping[str, int] | None = None

    def to_document(self) -> Document:
        """Return the attributes that the cell states."""
        document: Document = {}
        for name in ("model", "mem_gb", "tflops", "region", "green_pct", "security", "interconnect"):
            value = getattr(self, name)
            if value is not None:
                document[name] = value
        if self.latency_ms is not None:
            document["latency_ms"] = dict(self.latency_ms)
        return document


@dataclass(frozen=True, slots=True)
class Cell:
    """The smallest delivery pool and the price zone: site, resource class and fabric."""

    id: str
    site: str
    attributes: Attributes = field(default_factory=Attributes)

    def to_document(self) -> Document:
        """Return the cell as it stands in a book document."""
        return {"id": self.id, "site": self.site, "attrs": self.attributes.to_document()}


@dataclass(frozen=True, slots=True)
class MaxLatency:
    """At most so many milliseconds to a metro."""

    metro: str
    ms: int


@dataclass(frozen=True, slots=True)
class Needs:
    """A predicate on cells; None is no constraint."""

    model: tuple[str, ...] | None = None
    region: tuple[str, ...] | None = None
    interconnect: tuple[str, ...] | None = None
    min_mem_gb: int | None = None
    min_tflops: int | None = None
    min_green_pct: int | None = None
    min_security: int | None = None
    max_latency: MaxLatency | None = None

    def to_document(self) -> Document:
        """Return the constraints that are set."""
        document: Document = {}
        for name in ("model", "region", "interconnect"):
            allowed = getattr(self, name)
            if allowed is not None:
                document[name] = list(allowed)
        for name in ("min_mem_gb", "min_tflops", "min_green_pct", "min_security"):
            bound = getattr(self, name)
            if bound is not None:
                document[name] = bound
        if self.max_latency is not None:
            document["max_latency"] = {"metro": self.max_latency.metro, "ms": self.max_latency.ms}
        return document


@dataclass(frozen=True, slots=True)
class Offer:
    """``qty`` lots in one cell in each slot of ``[t0, t1)`` at one reserve, divisible by lot and slot."""

    id: str
    provider: str
    cell: str
    t0: int
    t1: int
    qty: int
    reserve: int
    seq: int

    def to_document(self) -> Document:
        """Return the offer as it stands in a book document."""
        return {
            "id": self.id,
            "provider": self.provider,
            "cell": self.cell,
            "t0": self.t0,
            "t1": self.t1,
            "qty": self.qty,
            "reserve": self.reserve,
            "seq": self.seq,
        }


@dataclass(frozen=True, slots=True)
class Order:
    """Demand for up to ``qmax`` lots inside ``[earliest, latest)`` at ``limit`` micros per lot-hour.

    A block takes nothing or ``qmin`` to ``qmax`` lots at one level over ``hours`` contiguous slots; an hourly
    order takes 0 to ``qmax`` lots in each slot by itself and carries zero in ``qmin`` and ``hours``.
    """

    id: str
    buyer: str
    seq: int
    kind: OrderKind
    qmax: int
    limit: int
    earliest: int
    latest: int
    qmin: int = 0
    hours: int = 0
    single_site: bool = False
    needs: Needs = field(default_factory=Needs)

    @property
    def is_block(self) -> bool:
        """Whether the order is a block order."""
        return self.kind is OrderKind.BLOCK

    def to_document(self) -> Document:
        """Return the order as it stands in a book document."""
        document: Document = {
            "id": self.id,
            "buyer": self.buyer,
            "seq": self.seq,
            "kind": self.kind.value,
            "qmax": self.qmax,
            "limit": self.limit,
            "earliest": self.earliest,
            "latest": self.latest,
            "single_site": self.single_site,
            "needs": self.needs.to_document(),
        }
        if self.is_block:
            document |= {"qmin": self.qmin, "hours": self.hours}
        return document


@dataclass(frozen=True, slots=True)
class Book:
    """Cells by id, offers and orders by (seq, id), and the buyers' caps in micros."""

    cells: tuple[Cell, ...]
    offers: tuple[Offer, ...]
    orders: tuple[Order, ...]
    budgets: Mapping[str, int] = field(default_factory=dict)
    grid: int = 1

    def to_document(self) -> Document:
        """Return the book as the public JSON format, in canonical order."""
        document: Document = {
            "grid": self.grid,
            "cells": [cell.to_document() for cell in self.cells],
            "offers": [offer.to_document() for offer in self.offers],
            "orders": [order.to_document() for order in self.orders],
        }
        if self.budgets:
            document["budgets"] = dict(self.budgets)
        return document

    def canonical_bytes(self) -> bytes:
        """Return the one spelling of this book: what a snapshot stores and what its digest names."""
        return canonical_json.dump(self.to_document())


def canonical(book: Book) -> Book:
    """Return the book with its rows in canonical order: cells by id, offers and orders by (seq, id)."""
    return Book(
        cells=tuple(sorted(book.cells, key=lambda cell: cell.id)),
        offers=tuple(sorted(book.offers, key=lambda offer: (offer.seq, offer.id))),
        orders=tuple(sorted(book.orders, key=lambda order: (order.seq, order.id))),
        budgets=dict(sorted(book.budgets.items())),
        grid=book.grid,
    )


def digest(book: Book) -> str:
    """Return the SHA-256 of the canonical bytes, in hexadecimal."""
    return hashlib.sha256(canonical(book).canonical_bytes()).hexdigest()
