"""The outcome of a round: prices, trades, welfare and bound, and the public JSON that carries them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from exchange.clearing import canonical_json
from exchange.clearing.book import Document


@dataclass(frozen=True, slots=True)
class PriceRun:
    """One price, in micros per lot-hour, for the slots ``[t0, t1)`` of a cell."""

    t0: int
    t1: int
    price: int


@dataclass(frozen=True, slots=True)
class Trade:
    """``qty`` lots in each slot of ``[t0, t1)`` from one offer to one order, at the cell's uniform price."""

    order: str
    offer: str
    t0: int
    t1: int
    qty: int
    price: int


@dataclass(frozen=True)
class Outcome:
    """Prices by cell id, trades in canonical order, welfare and its upper bound in micros."""

    prices: Mapping[str, tuple[PriceRun, ...]]
    trades: tuple[Trade, ...]
    welfare: int
    bound: int

    def to_document(self) -> Document:
        """Return the outcome as the public JSON format."""
        return {
            "prices": prices_document(self.prices),
            "trades": [
                {
                    "order": trade.order,
                    "offer": trade.offer,
                    "t0": trade.t0,
                    "t1": trade.t1,
                    "qty": trade.qty,
                    "price": trade.price,
                }
                for trade in self.trades
            ],
            "welfare": self.welfare,
            "bound": self.bound,
        }

    def canonical_bytes(self) -> bytes:
        """Return the one spelling of this outcome."""
        return canonical_json.dump(self.to_document())

    def digest(self) -> str:
        """Return the SHA-256 of the canonical bytes, in hexadecimal."""
        return hashlib.sha256(self.canonical_bytes()).hexdigest()


def prices_document(prices: Mapping[str, tuple[PriceRun, ...]]) -> Document:
    """Return price runs as JSON: cell id to a list of ``[t0, t1, price]``."""
    return {cell: [[run.t0, run.t1, run.price] for run in runs] for cell, runs in prices.items()}
