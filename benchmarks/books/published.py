"""The published books: name, recipe, seed and SHA-256 of the canonical bytes.

Logarithms and cosines come from the C library, whose last bit may differ between machines; a digest that does not
match on an exotic platform says that the books differ there, and figures on them are not comparable.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.books import adversarial, recipe
from benchmarks.books.recipe import Size
from exchange.clearing.book import Book

SIZES = {
    "200x50x24-1h": Size(200, 50, 24),
    "2000x200x48-4h": Size(2_000, 200, 48, grid=4),
    "2000x200x48-1h": Size(2_000, 200, 48),
    "2000x200x48-4h-anywhere": Size(2_000, 200, 48, grid=4, anywhere=50),
    "6000x400x96-4h": Size(6_000, 400, 96, grid=4),
    "20000x1000x168-24h": Size(20_000, 1_000, 168, grid=24),
}
SEED = 1
ADVERSARIAL_ORDERS = (40, 1_000)
DIGESTS = Path(__file__).with_name("digests.json")


@dataclass(frozen=True)
class Published:
    """A book by name: made again from its seed, never stored."""

    name: str
    orders: int

    def make(self) -> Book:
        """Return the canonical book."""
        if self.name in SIZES:
            return recipe.book(SIZES[self.name], SEED)
        family = self.name.rpartition("-")[0]
        return adversarial.FAMILIES[family](self.orders, SEED)


def every() -> dict[str, Published]:
    """Return all published books by name, realistic ones first."""
    named = [Published(name, size.orders) for name, size in SIZES.items()]
    named += [
        Published(f"{family}-{orders}", orders) for family in adversarial.FAMILIES for orders in ADVERSARIAL_ORDERS
    ]
    return {published.name: published for published in named}


def digests() -> Mapping[str, str]:
    """Return the stored SHA-256 by name."""
    stored: dict[str, str] = json.loads(DIGESTS.read_text(encoding="utf-8"))
    return stored
