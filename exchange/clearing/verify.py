"""An independent check of an outcome document against its book: integers, no solver, no code of the engine.

``verify`` reads the public document as an outsider would, refuses what is not well formed (code FORMAT) and hands the
rest to the rules in ``verify_rules``. Work is by segments: runs of slots in which nothing of the book or of the
outcome changes, all of them at once.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from exchange.clearing import verify_rejected
from exchange.clearing import verify_rules as rules
from exchange.clearing.book import Book, Offer, Order
from exchange.clearing.verify_claim import Claim, Run, Traded
from exchange.clearing.violations import Code, Report, Violation

Row = TypeVar("Row", Order, Offer)

_TRADE, _OF_TRADE = {"order", "offer", "t0", "t1", "qty"}, {"price"}


def verify(book: Book, document: object, *, required_welfare: int | None = None) -> Report:
    """Check a decoded outcome document; ``required_welfare`` in micros is the level that it has to reach."""
    claim, faults = read(book, document)
    if faults:
        return Report(tuple(Violation(Code.FORMAT, fault) for fault in faults))
    found = [
        *rules.supply(claim),
        *rules.demand(claim),
        *rules.money(claim),
        *rules.welfare(claim, required_welfare),
        *rules.strict(claim),
    ]
    return Report(tuple(found), tuple(verify_rejected.rejected_blocks(claim)))


def read(book: Book, document: object) -> tuple[Claim, tuple[str, ...]]:
    """Read an outcome document; return its claim, and what is not well formed."""
    reader = _Reader(book)
    return reader.claim(document), tuple(reader.faults)


def read_prices(book: Book, document: object) -> tuple[dict[str, tuple[Run, ...]], tuple[str, ...]]:
    """Read prices in the run shape of an outcome; return them by cell, and what is not well formed."""
    reader = _Reader(book)
    return reader.prices(document), tuple(reader.faults)


@dataclass
class _Reader:
    """Collects the faults of a document while it is turned into a claim."""

    book: Book

    def __post_init__(self) -> None:
        self.faults: list[str] = []

    def claim(self, document: object) -> Claim:
        fields = self._fields(document, "", required={"prices", "trades"}, optional={"welfare", "bound"})
        prices = self.prices(fields.get("prices"))
        trades = self._trades(fields.get("trades"))
        return Claim(
            book=self.book,
            trades=tuple(trades),
            runs=prices,
            welfare=self._optional(fields, "", "welfare"),
            bound=self._optional(fields, "", "bound"),
        )

    def _fields(self, value: object, at: str, *, required: set[str], optional: set[str]) -> dict[str, object]:
        if not isinstance(value, dict):
            self.faults.append(f"{at or 'the document'} is not an object")
            return {}
        for key in sorted(required - value.keys()):
            self.faults.append(f"{at}/{key} is missing")
        for key in sorted(value.keys() - required - optional):
            self.faults.append(f"{at}/{key} is not known")
        return value

    def _integer(self, value: object, at: str, key: str, *, least: int | None = None) -> int | None:
        # bool is an int to Python, never to an outcome.
        if type(value) is not int or (least is not None and value < least):
            wanted = "an integer" if least is None else f"an integer from {least}"
            self.faults.append(f"{at}/{key} is {value!r}, not {wanted}")
            return None
        return value

    def _optional(self, fields: dict[str, object], at: str, key: str, *, least: int | None = None) -> int | None:
        return self._integer(fields[key], at, key, least=least) if key in fields else None

    def prices(self, value: object) -> dict[str, tuple[Run, ...]]:
        if not isinstance(value, dict):
            self.faults.append("/prices is not an object")
            return {}
        known = {cell.id for cell in self.book.cells}
        self.faults.extend(f"/prices/{cell} is not a cell of the book" for cell in value if cell not in known)
        return {cell: self._runs(runs, f"/prices/{cell}") for cell, runs in value.items()}

    def _runs(self, value: object, at: str) -> tuple[Run, ...]:
        if not isinstance(value, list):
            self.faults.append(f"{at} is not a list")
            return ()
        runs = [run for index, item in enumerate(value) if (run := self._run(item, f"{at}/{index}")) is not None]
        runs.sort()
        for one, other in pairwise(runs):
            if other.t0 < one.t1:
                self.faults.append(f"{at} overlaps in slot {other.t0}")
        return tuple(runs)

    def _run(self, value: object, at: str) -> Run | None:
        if not isinstance(value, list) or len(value) != 3:
            self.faults.append(f"{at} is not [t0, t1, price]")
            return None
        t0, t1 = self._integer(value[0], at, "0"), self._integer(value[1], at, "1")
        price = self._integer(value[2], at, "2", least=0)
        if t0 is None or t1 is None or price is None:
            return None
        if t0 >= t1:
            self.faults.append(f"{at} ends before it begins")
            return None
        return Run(t0, t1, price)

    def _trades(self, value: object) -> list[Traded]:
        if not isinstance(value, list):
            self.faults.append("/trades is not a list")
            return []
        orders = {order.id: order for order in self.book.orders}
        offers = {offer.id: offer for offer in self.book.offers}
        trades = []
        for index, item in enumerate(value):
            at = f"/trades/{index}"
            fields = self._fields(item, at, required=_TRADE, optional=_OF_TRADE)
            order = self._known(fields.get("order"), orders, at, "order")
            offer = self._known(fields.get("offer"), offers, at, "offer")
            t0, t1 = self._integer(fields.get("t0"), at, "t0"), self._integer(fields.get("t1"), at, "t1")
            qty = self._integer(fields.get("qty"), at, "qty", least=1)
            price = self._optional(fields, at, "price", least=0)
            if order is None or offer is None or t0 is None or t1 is None or qty is None:
                continue
            if t0 >= t1:
                self.faults.append(f"{at} ends before it begins")
                continue
            trades.append(Traded(order, offer, t0, t1, qty, price))
        return trades

    def _known(self, value: object, rows: dict[str, Row], at: str, key: str) -> Row | None:
        row = rows.get(value) if isinstance(value, str) else None
        if row is None:
            self.faults.append(f"{at}/{key} is {value!r}, which the book does not have")
        return row
