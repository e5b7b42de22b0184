"""Small books, written by hand, that several tests look at."""

from typing import Any

from exchange.clearing import parsing
from exchange.clearing.book import Attributes, Book, Cell, Needs, Offer, Order, OrderKind

YUAN = 1_000_000
ZHANGJIAKOU = "zjk-1/ascend-910b3/roce"


def cell(name: str = "c1", **attributes: Any) -> Cell:
    """Return a cell."""
    return Cell(name, "site", Attributes(**attributes))


def offer(name: str, *, seq: int = 1, cell: str = "c1", t0: int = 0, t1: int = 1, qty: int, reserve: int) -> Offer:
    """Return an offer."""
    return Offer(name, f"provider of {name}", cell, t0, t1, qty, reserve, seq)


def hourly(
    name: str,
    *,
    limit: int,
    qty: int,
    seq: int = 10,
    t0: int = 0,
    t1: int = 1,
    buyer: str = "u",
    single_site: bool = False,
    needs: Needs | None = None,
) -> Order:
    """Return an hourly order."""
    return Order(
        name, buyer, seq, OrderKind.HOURLY, qty, limit, t0, t1, single_site=single_site, needs=needs or Needs()
    )


def block(
    name: str,
    *,
    limit: int,
    qty: int,
    least: int | None = None,
    seq: int = 10,
    t0: int = 0,
    t1: int = 1,
    hours: int | None = None,
    buyer: str = "u",
    single_site: bool = False,
    needs: Needs | None = None,
) -> Order:
    """Return a block order: all or none and fixed unless said otherwise."""
    return Order(
        id=name,
        buyer=buyer,
        seq=seq,
        kind=OrderKind.BLOCK,
        qmax=qty,
        qmin=qty if least is None else least,
        limit=limit,
        earliest=t0,
        latest=t1,
        hours=t1 - t0 if hours is None else hours,
        single_site=single_site,
        needs=needs or Needs(),
    )


def story() -> Book:
    """Return the market day of the product's story: two providers and three buyers in Zhangjiakou."""
    return parsing.make_book(
        cells=[cell(ZHANGJIAKOU, model="ascend-910b3", mem_gb=64, tflops=313, region="zhangjiakou")],
        offers=[
            offer("S1", seq=1, cell=ZHANGJIAKOU, t1=24, qty=16, reserve=8 * YUAN),
            offer("S2", seq=2, cell=ZHANGJIAKOU, t1=24, qty=16, reserve=10 * YUAN),
        ],
        orders=[
            block("B1", seq=3, buyer="beichen", t1=24, qty=16, limit=12_500_000, single_site=True),
            hourly("B2", seq=4, buyer="lanting", t0=8, t1=20, qty=12, limit=11 * YUAN),
            hourly("B3", seq=5, buyer="qinghe", t0=8, t1=20, qty=8, limit=9 * YUAN),
        ],
    )


def paradox() -> Book:
    """Return the book whose welfare optimum no uniform price can carry.

    Ten cards all-or-none at 5 against five at 1 and five at 8 are worth 5, but at the price of 8 the block loses.
    """
    return parsing.make_book(
        cells=[cell()],
        offers=[offer("cheap", seq=1, qty=5, reserve=1), offer("dear", seq=2, qty=5, reserve=8)],
        orders=[block("wide", qty=10, limit=5)],
    )
