"""What a price vector proves: the bound on welfare, recomputed as an outsider would.

Written apart from the engine and its certificate, like the rules of an outcome: only the book's dataclasses are
shared. For any prices ``pi >= 0``, missing ones being zero, no allocation is worth more than

    UB(pi) = sum over offers and slots of qty * max(0, pi - reserve) + sum over orders of best(order, pi)

(weak duality), where ``best`` is the most that the order could gain at ``pi`` in the cells that it accepts, by what
they have the capacity for.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

from exchange.clearing.book import Book, Needs, Order
from exchange.clearing.verify_claim import Run, conditions, meets


def upper_bound(book: Book, prices: Mapping[str, Sequence[Run]]) -> int:
    """Return UB(prices) in micros, exactly; prices by cell id, in runs that do not overlap."""
    return _Vector(book, prices).bound()


@dataclass(frozen=True)
class _Vector:
    """Prices and capacities by segment, a run of slots ``[edges[i], edges[i + 1])`` in which neither changes."""

    book: Book
    prices: Mapping[str, Sequence[Run]]

    def bound(self) -> int:
        by_order = (
            self._best_block(order) if order.is_block else self._best_hours(order) for order in self.book.orders
        )
        return self._rents() + sum(by_order)

    @cached_property
    def edges(self) -> list[int]:
        spans = [(run.t0, run.t1) for runs in self.prices.values() for run in runs]
        spans += [(offer.t0, offer.t1) for offer in self.book.offers]
        spans += [(order.earliest, order.latest) for order in self.book.orders if not order.is_block]
        return sorted({edge for span in spans for edge in span})

    @cached_property
    def hours(self) -> list[int]:
        return [end - start for start, end in pairwise(self.edges)]

    @cached_property
    def price(self) -> dict[str, list[int]]:
        found = {cell.id: [0] * len(self.hours) for cell in self.book.cells}
        for cell, runs in self.prices.items():
            for run in runs:
                for segment in self._span(run.t0, run.t1):
                    found[cell][segment] = run.price
        return found

    @cached_property
    def capacity(self) -> dict[str, list[int]]:
        found = {cell.id: [0] * len(self.hours) for cell in self.book.cells}
        for offer in self.book.offers:
            for segment in self._span(offer.t0, offer.t1):
                found[offer.cell][segment] += offer.qty
        return found

    @cached_property
    def paid_until(self) -> dict[str, list[int]]:
        """What one lot costs from the first edge to each edge, by cell."""
        return {
            cell: [0, *accumulate(price * hours for price, hours in zip(row, self.hours, strict=True))]
            for cell, row in self.price.items()
        }

    @cached_property
    def accepted(self) -> dict[Needs, list[str]]:
        """The cells that meet each set of needs. Orders differ in their sets and share the single needs."""
        cells = {cell.id: cell.attributes for cell in self.book.cells}
        wanted = {needs: conditions(needs) for needs in {order.needs for order in self.book.orders}}
        meeting = {
            condition: {cell for cell, attributes in cells.items() if meets(attributes, *condition)}
            for condition in {condition for named in wanted.values() for condition in named}
        }
        everywhere = set(cells)
        return {
            needs: sorted(everywhere.intersection(*(meeting[condition] for condition in named)))
            for needs, named in wanted.items()
        }

    def _span(self, t0: int, t1: int) -> range:
        return range(bisect_left(self.edges, t0), bisect_left(self.edges, t1))

    def _rents(self) -> int:
        """What the suppliers could gain."""
        return sum(
            offer.qty * self.hours[segment] * max(0, self.price[offer.cell][segment] - offer.reserve)
            for offer in self.book.offers
            for segment in self._span(offer.t0, offer.t1)
        )

    def _best_hours(self, order: Order) -> int:
        cells = self.accepted[order.needs]
        total = 0
        for segment in self._span(order.earliest, order.latest):
            gains = [
                (order.limit - self.price[cell][segment], self.capacity[cell][segment])
                for cell in cells
                if self.capacity[cell][segment]
            ]
            total += self.hours[segment] * _most(gains, least=0, most=order.qmax)
        return total

    def _best_block(self, order: Order) -> int:
        best = 0
        for start in self._starts(order):
            gains = list(self._gains(order, start))
            # In one cell alone, or in all of them together.
            for choice in [[gain] for gain in gains] if order.single_site else [gains]:
                best = max(best, _most(choice, least=order.qmin, most=order.qmax))
        return best

    def _gains(self, order: Order, start: int) -> Iterator[tuple[int, int]]:
        """Yield the gain of one lot and the lots that a cell could give, for each cell with capacity throughout."""
        end = start + order.hours
        first, last = bisect_right(self.edges, start) - 1, bisect_left(self.edges, end)
        for cell in self.accepted[order.needs]:
            capacity = min(self.capacity[cell][first:last])
            if capacity:
                cost = self._paid(cell, end) - self._paid(cell, start)
                yield order.limit * order.hours - cost, capacity

    def _paid(self, cell: str, slot: int) -> int:
        segment = bisect_right(self.edges, slot) - 1
        behind = slot - self.edges[segment]
        return self.paid_until[cell][segment] + (behind * self.price[cell][segment] if behind else 0)

    def _starts(self, order: Order) -> Iterator[int]:
        """Yield the starts that can be the best: all of them or, of very many, those next to an edge.

        Between two bends capacities stay and costs are linear, so the gain, a maximum of linear functions, is
        largest at one of the ends.
        """
        if not self.edges:
            return
        step = self.book.grid
        begin = max(order.earliest, self.edges[0])
        first = begin + (order.earliest - begin) % step
        last = min(order.latest, self.edges[-1]) - order.hours
        if last < first:
            return
        last -= (last - first) % step
        if (last - first) // step <= 6 * len(self.edges):
            yield from range(first, last + 1, step)
            return
        near = {first, last}
        for edge in self.edges:
            for bend in (edge, edge - order.hours):
                on = bend - (bend - first) % step
                near.update((on - step, on, on + step))
        yield from (start for start in sorted(near) if first <= start <= last)


def _most(gains: list[tuple[int, int]], *, least: int, most: int) -> int:
    """Return the most that no lot, or ``least`` to ``most`` lots, can gain, given (gain of a lot, lots) by cell."""
    total = taken = 0
    for gain, lots in sorted(gains, reverse=True):
        wanted = min(lots, (most if gain > 0 else least) - taken)
        if wanted <= 0:
            break
        total += wanted * gain
        taken += wanted
    return max(0, total) if taken >= least else 0
