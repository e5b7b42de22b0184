"""The rules of an outcome, each checked on its own in integers.

Written apart from the engine on purpose: only the book's dataclasses are shared. Each rule compares columns of a
claim; what fails it is told row by row.
"""

from collections.abc import Iterator

import numpy as np

from exchange.clearing.verify_claim import Claim, Flags, Numbers, Places, Sums, ends, first_marked, heads
from exchange.clearing.violations import Code, Violation


def supply(claim: Claim) -> Iterator[Violation]:
    """OVERSELL and MERIT."""
    offers, traded, book = claim.offers, claim.traded, claim.book
    outside = (traded.t0 < offers.t0[traded.offer]) | (traded.t1 > offers.t1[traded.offer])
    for place in np.flatnonzero(outside):
        yield Violation(Code.OVERSELL, f"offer {claim.trades[place].offer.id} sells outside its window")
    offer, segment, slot, sold = claim.supply
    for row in np.flatnonzero(sold > offers.qty[offer]):
        one = book.offers[offer[row]]
        yield Violation(Code.OVERSELL, f"offer {one.id} sells {sold[row]} of {one.qty} in {claim.at(segment[row])}")
    spare = first_marked(slot, sold < offers.qty[offer])
    dearer = offers.reserve[offer[spare]] < offers.reserve[offer]
    for row in np.flatnonzero((sold > 0) & (spare >= 0) & dearer):
        one, cheaper = book.offers[offer[row]], book.offers[offer[spare[row]]]
        yield Violation(Code.MERIT, f"offer {one.id} sells before {cheaper.id} in {claim.where(slot[row])}")


def demand(claim: Claim) -> Iterator[Violation]:
    """NEEDS, WINDOW, LEVEL, FILL and SITE."""
    traded, orders = claim.traded, claim.orders
    outside = (traded.t0 < orders.earliest[traded.order]) | (traded.t1 > orders.latest[traded.order])
    for place in np.unique(traded.order[outside]):
        yield Violation(Code.WINDOW, f"order {claim.book.orders[place].id} is delivered outside its window")
    yield from _cells(claim)
    yield from _hourly(claim)
    yield from _blocks(claim)


def _cells(claim: Claim) -> Iterator[Violation]:
    book, traded = claim.book, claim.traded
    order, cell = np.divmod(np.unique(traded.order * len(book.cells) + traded.cell), max(1, len(book.cells)))
    for row in np.flatnonzero(~claim.accepts[order, cell]):
        told = f"order {book.orders[order[row]].id} does not accept cell {book.cells[cell[row]].id}"
        yield Violation(Code.NEEDS, told)
    begin = heads(order)
    used = ends(order) - begin
    for row in np.flatnonzero((used > 1) & claim.orders.single_site[order[begin]]):
        yield Violation(Code.SITE, f"order {book.orders[order[begin[row]]].id} uses {used[row]} cells")


def _hourly(claim: Claim) -> Iterator[Violation]:
    order, segment, lots = _bought(claim, ~claim.orders.block)
    for row in np.flatnonzero(lots > claim.orders.qmax[order]):
        one = claim.book.orders[order[row]]
        yield Violation(Code.FILL, f"order {one.id} gets {lots[row]} of {one.qmax} in {claim.at(segment[row])}")


def _bought(claim: Claim, chosen: Flags) -> tuple[Places, Places, Numbers]:
    """Return order, segment and lots of what some orders got, by order and segment."""
    order, segment = claim.apart(claim.bought.keys)
    own = chosen[order]
    return order[own], segment[own], claim.bought.values[own]


def _blocks(claim: Claim) -> Iterator[Violation]:
    book, orders = claim.book, claim.orders
    order, segment, lots = _bought(claim, orders.block)
    begin, end = heads(order), ends(order)
    block, first, last = order[begin], segment[begin], segment[end - 1]
    start = claim.edges[first]
    long = claim.edges[last + 1] - start
    pieces = _in_pieces(claim, Sums(block, last - first + 1))
    for place in np.flatnonzero((long != orders.hours[block]) | np.isin(block, pieces)):
        one = book.orders[block[place]]
        yield Violation(Code.WINDOW, f"block {one.id} is not {one.hours} contiguous slots with one start")
    for place in np.flatnonzero((start - orders.earliest[block]) % book.grid != 0):
        off = f"block {book.orders[block[place]].id} starts off the grid in slot {start[place]}"
        yield Violation(Code.WINDOW, off)
    yield from _levels(claim)
    wrong = np.flatnonzero((lots < orders.qmin[order]) | (lots > orders.qmax[order]))
    for row in wrong[heads(order[wrong])]:
        one, where = book.orders[order[row]], claim.at(segment[row])
        told = f"block {one.id} gets {lots[row]}, not {one.qmin} to {one.qmax}, in {where}"
        yield Violation(Code.FILL, told)


def _in_pieces(claim: Claim, lengths: Sums) -> Places:
    """Return the blocks that do not use each of their cells in every segment from their first to their last."""
    share, _ = claim.apart(claim.shares.keys)
    begin = heads(share)
    block = share[begin] // max(1, len(claim.book.cells))
    broken: Places = block[ends(share) - begin != lengths.at(block)]
    return broken


def _levels(claim: Claim) -> Iterator[Violation]:
    share, _ = claim.apart(claim.shares.keys)
    lots, begin = claim.shares.values, heads(share)
    change = np.flatnonzero(lots != np.repeat(lots[begin], ends(share) - begin))
    for changed in np.unique(share[change]):
        order, cell = divmod(int(changed), len(claim.book.cells))
        one, where = claim.book.orders[order], claim.book.cells[cell].id
        if one.is_block:
            yield Violation(Code.LEVEL, f"block {one.id} changes its level in cell {where}")


def money(claim: Claim) -> Iterator[Violation]:
    """PRICE, IR_SELL, IR_BUY and BUDGET."""
    book, traded, orders = claim.book, claim.traded, claim.orders
    trade, segment = claim.deliveries
    order, offer = traded.order[trade], traded.offer[trade]
    slot = claim.key(traded.cell[trade], segment)
    priced, price = claim.price.known(slot), claim.price.at(slot)
    for row in np.flatnonzero(~priced):
        yield Violation(Code.PRICE, f"{claim.where(slot[row])} is traded and has no price")
    said = traded.price[trade]
    for row in np.flatnonzero(priced & (said >= 0) & (said != price)):
        one = book.orders[order[row]]
        yield Violation(Code.PRICE, f"a trade of order {one.id} says {said[row]} in {claim.where(slot[row])}")
    for row in np.flatnonzero(priced & (price < claim.offers.reserve[offer])):
        below = f"offer {book.offers[offer[row]].id} sells below its reserve in {claim.where(slot[row])}"
        yield Violation(Code.IR_SELL, below)
    for row in np.flatnonzero(~orders.block[order] & (price > orders.limit[order])):
        above = f"order {book.orders[order[row]].id} buys above its limit in {claim.where(slot[row])}"
        yield Violation(Code.IR_BUY, above)
    paid: Numbers = np.zeros(len(book.orders), dtype=claim.kind)
    np.add.at(paid, order, price * traded.qty[trade] * claim.hours[segment])
    yield from _blocks_pay(claim, paid)
    yield from _budgets(claim, paid)


def _blocks_pay(claim: Claim, paid: Numbers) -> Iterator[Violation]:
    traded, orders = claim.traded, claim.orders
    worth: Numbers = np.zeros(len(paid), dtype=claim.kind)
    np.add.at(worth, traded.order, traded.qty * (traded.t1 - traded.t0) * orders.limit[traded.order])
    for place in np.flatnonzero(orders.block & (paid > worth)):
        pays = f"block {claim.book.orders[place].id} pays {paid[place]} for at most {worth[place]}"
        yield Violation(Code.IR_BUY, pays)


def _budgets(claim: Claim, paid: Numbers) -> Iterator[Violation]:
    spent = dict.fromkeys(claim.book.budgets, 0)
    for place in np.flatnonzero(paid):
        buyer = claim.book.orders[place].buyer
        if buyer in spent:
            spent[buyer] += int(paid[place])
    for buyer, budget in claim.book.budgets.items():
        if spent[buyer] > budget:
            yield Violation(Code.BUDGET, f"buyer {buyer} pays {spent[buyer]} of at most {budget}")


def welfare(claim: Claim, required: int | None) -> Iterator[Violation]:
    """WELFARE."""
    traded = claim.traded
    gain = claim.orders.limit[traded.order] - claim.offers.reserve[traded.offer]
    actual = int((gain * traded.qty * (traded.t1 - traded.t0)).sum())
    if claim.welfare is not None and claim.welfare != actual:
        yield Violation(Code.WELFARE, f"the claim is {claim.welfare}, the trades give {actual}")
    if claim.bound is not None and claim.bound < actual:
        yield Violation(Code.WELFARE, f"the bound {claim.bound} is below the welfare {actual}")
    if required is not None and actual < required:
        yield Violation(Code.WELFARE, f"the welfare {actual} is below the required {required}")


def strict(claim: Claim) -> Iterator[Violation]:
    """TIE, PR_SELL and PR_BUY."""
    book, (offer, _, slot, sold) = claim.book, claim.supply
    reserve, spare = claim.offers.reserve[offer], sold < claim.offers.qty[offer]
    # The rows of one cell and segment stand by (reserve, seq, id): of those with one reserve the earliest comes first.
    level = np.cumsum((slot != np.roll(slot, 1)) | (reserve != np.roll(reserve, 1)))
    earlier = first_marked(level, spare)
    for row in np.flatnonzero((sold > 0) & (earlier >= 0) & (earlier < np.arange(len(slot)))):
        one, other = book.offers[offer[row]], book.offers[offer[earlier[row]]]
        yield Violation(Code.TIE, f"offer {one.id} sells before {other.id} in {claim.where(slot[row])}")
    selling = first_marked(slot, sold > 0) >= 0
    for row in np.flatnonzero(spare & selling & (reserve < claim.price.at(slot))):
        idle = f"offer {book.offers[offer[row]].id} has cards to spare below the price in {claim.where(slot[row])}"
        yield Violation(Code.PR_SELL, idle)
    yield from _unmet(claim)


def _unmet(claim: Claim) -> Iterator[Violation]:
    orders, hourly = claim.orders, np.flatnonzero(~claim.orders.block)
    owner, segment = claim.rows(orders.earliest[hourly], orders.latest[hourly])
    order = hourly[owner]
    unmet = claim.bought.at(claim.key(order, segment)) < orders.qmax[order]
    order, segment = order[unmet], segment[unmet]
    is_open = np.zeros(claim.is_priced.shape, dtype=bool)
    is_open.reshape(-1)[claim.supply.slot] = True
    is_open &= claim.is_priced
    ranked = np.argsort(segment, kind="stable")
    order, segment = order[ranked], segment[ranked]
    found = []
    for begin, end in zip(heads(segment), ends(segment), strict=True):
        here, at = order[begin:end], segment[begin]
        cells = np.flatnonzero(is_open[:, at])
        below = claim.price_by_cell[cells, at] < orders.limit[here][:, None]
        row, column = np.nonzero(claim.accepts[np.ix_(here, cells)] & below)
        found += [(order_place, at, cell) for order_place, cell in zip(here[row], cells[column], strict=True)]
    for place, at, cell in sorted(found):
        where = f"{claim.book.cells[cell].id} {claim.at(at)}"
        yield Violation(Code.PR_BUY, f"order {claim.book.orders[place].id} is unmet below its limit in {where}")
