"""Equal welfare, earlier entry: the last pass over an allocation.

A solver's optimum is not a tie rule. What gains nothing follows one: hourly orders are served wherever spare supply is
within their limit, blocks that add nothing stay out. Where an unfilled block could stand in for a later one that runs,
at the same welfare, it does; and a block moves to an earlier start, or to a cell with a lower id, where that costs
nothing.
(Hourly orders need no pass: they are filled by time priority in the first place.)
"""

from collections.abc import Callable, Iterator
from itertools import islice, product

from exchange.clearing.allocation import Placement
from exchange.clearing.model import Group, Market
from exchange.clearing.prices import Assessment

# Trying a move means pricing the whole allocation again, so their number is bounded.
Attempt = Callable[[tuple[Placement, ...]], bool]


def prefer_earlier(
    market: Market, current: Callable[[], tuple[Placement, ...]], attempt: Attempt, *, moves: int
) -> int:
    """Try moves until none is accepted or ``moves`` were tried; return how many were tried.

    ``current`` returns the placements as they stand; ``attempt`` takes changed ones, keeps them if they are as good,
    and says whether it did.
    """
    tried = 0
    accepted = True
    while accepted and tried < moves:
        accepted = False
        for placements in islice(_moves(market, current()), moves - tried):
            tried += 1
            if attempt(placements):
                accepted = True
                break
    return tried


def spare_sites(market: Market, assessment: Assessment) -> dict[int, int]:
    """Return for each single-site hourly order the cell of the cheapest spare lot within its limit, if there is one."""
    spare = {
        (cell, period): stack[0].reserve
        for cell, row in enumerate(market.stacks)
        for period, stack in enumerate(row)
        if stack and (cell, period) not in assessment.intervals
    }
    spare |= {key: each.spare for key, each in assessment.intervals.items() if each.spare is not None}
    sites = {}
    for index in market.hourly:
        order = market.book.orders[index]
        if order.single_site:
            keys = product(market.compatible[index], market.windows[index])
            found = [(spare[key], key[0]) for key in keys if key in spare and spare[key] <= order.limit]
            if found:
                sites[index] = min(found)[1]
    return sites


def _moves(market: Market, placements: tuple[Placement, ...]) -> Iterator[tuple[Placement, ...]]:
    running = {placement.order: placement for placement in placements}
    groups: dict[int, list[Group]] = {}
    for group in market.groups:
        groups.setdefault(group.order, []).append(group)
    for order in market.blocks:
        if order not in running:
            yield from _replacements(market, placements, groups.get(order, []))
    for placement in placements:
        for group in groups[placement.order]:
            if group == placement.group:
                break
            yield from _with(placements, placement, _at(group, placement.lots))


def _replacements(
    market: Market, placements: tuple[Placement, ...], groups: list[Group]
) -> Iterator[tuple[Placement, ...]]:
    """Yield the placements with a later block of equal value replaced by an unfilled earlier one."""
    orders = market.book.orders
    for group in groups:
        earlier = orders[group.order]
        for placement in placements:
            later = orders[placement.order]
            same = (later.limit, later.hours) == (earlier.limit, earlier.hours)
            if placement.order > group.order and same and earlier.qmin <= placement.lots <= earlier.qmax:
                yield from _with(placements, placement, _shaped(group, placement))


def _shaped(group: Group, placement: Placement) -> Placement | None:
    """Return the placement's shares inside another group, None if they do not lie in it."""
    room = {alternative.cell: alternative.cap for alternative in group.alternatives}
    same_run = (group.first, group.last) == (placement.group.first, placement.group.last)
    if same_run and all(room.get(cell, 0) >= lots for cell, lots in placement.shares):
        return Placement(group, placement.shares)
    return None


def _at(group: Group, lots: int) -> Placement | None:
    """Return all lots in the first cell of a group that has room for them."""
    for alternative in group.alternatives:
        if alternative.cap >= lots:
            return Placement(group, ((alternative.cell, lots),))
    return None


def _with(placements: tuple[Placement, ...], old: Placement, new: Placement | None) -> Iterator[tuple[Placement, ...]]:
    if new is not None:
        kept = (*(other for other in placements if other is not old), new)
        yield tuple(sorted(kept, key=lambda placement: placement.order))
