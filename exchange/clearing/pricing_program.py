"""The welfare program with prices inside: only allocations that admit strict prices are feasible.

One price column per cell and period, tied to the allocation by binaries: which reserve steps are accepted and which
are full, which hourly orders are met and where. What a block or a buyer pays is lots times price; lots are written
in bits, and each product of a bit and a price only needs a lower end, because payments are only bounded above. The
program is exact, and grows too fast for large books.
"""

from collections import defaultdict

from exchange.clearing import program as programs
from exchange.clearing.model import Market
from exchange.clearing.program import Welfare

Terms = list[tuple[int, float]]


class _Prices:
    """Adds prices to a welfare program."""

    def __init__(self, welfare: Welfare) -> None:
        self.welfare = welfare
        self.market = welfare.market
        self.program = welfare.program
        self.price: dict[tuple[int, int], int] = {}
        self.highest: dict[tuple[int, int], float] = {}
        self.traded: dict[tuple[int, int], int] = {}
        self._bits: dict[int, list[tuple[float, int]]] = {}
        self._products: dict[tuple[int, int], int] = {}

    def add(self) -> None:
        for fill in self.welfare.fills.values():
            self.program.integral[fill] = True
        for key in self.welfare.balances:
            self._add_supply(key)
        self._add_hourly()
        payments = self._add_blocks()
        self._add_budgets(payments)

    def _add_supply(self, key: tuple[int, int]) -> None:
        steps = self.welfare.steps[key]
        self.highest[key] = highest = self._highest_price(key)
        self.price[key] = price = self.program.column(0.0, upper=highest, integral=False)
        full_before = None
        for place, (reserve, lots, sold) in enumerate(steps):
            cost = self.welfare.price(reserve)
            accepted = self.program.column(0.0, upper=1.0, integral=True)
            full = self.program.column(0.0, upper=1.0, integral=True)
            self.program.row([(sold, 1.0), (accepted, -float(lots))], most=0.0)
            self.program.row([(sold, 1.0), (full, -float(lots))], least=0.0)
            self.program.row([(price, 1.0), (accepted, -cost)], least=0.0)
            if highest > cost:
                self.program.row([(price, 1.0), (full, cost - highest)], most=cost)
            if full_before is not None:
                self.program.row([(full_before, 1.0), (accepted, -1.0)], least=0.0)
            if place == 0:
                self.traded[key] = accepted
            full_before = full

    def _highest_price(self, key: tuple[int, int]) -> float:
        """Return the largest value that ``lo`` could take: a reserve here, or the limit of demand that may be unmet."""
        cell, period = key
        reserves = [reserve for reserve, _, _ in self.welfare.steps[key]]
        limits = [
            self.market.book.orders[order].limit
            for order in self.market.active[period]
            if cell in self.market.compatible[order]
        ]
        return self.welfare.price(max(reserves + limits))

    def _add_hourly(self) -> None:
        lots_of: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
        for (filled, cell, period), fill in self.welfare.fills.items():
            lots_of[filled, period].append((cell, fill))
        for (index, period), lots in lots_of.items():
            order = self.market.book.orders[index]
            limit = self.welfare.price(order.limit)
            for cell, fill in lots:
                self._cap_price_where_filled((cell, period), fill, limit)
            unmet = self.program.column(0.0, upper=1.0, integral=True)
            terms = [(fill, 1.0) for _, fill in lots]
            self.program.row([*terms, (unmet, float(order.qmax))], least=float(order.qmax))
            for cell, _ in lots:
                key = (cell, period)
                self.program.row([(self.price[key], 1.0), (unmet, -limit), (self.traded[key], -limit)], least=-limit)

    def _cap_price_where_filled(self, key: tuple[int, int], fill: int, limit: float) -> None:
        highest = self.highest[key]
        if highest > limit:
            filled = self.program.column(0.0, upper=1.0, integral=True)
            self.program.row([(fill, 1.0), (filled, -self.program.upper[fill])], most=0.0)
            self.program.row([(self.price[key], 1.0), (filled, highest - limit)], most=highest)

    def _add_blocks(self) -> dict[int, tuple[Terms, float]]:
        """Bound what blocks pay; return by share column what one lot pays and at most can pay."""
        payments = {}
        for group, taken, shares in zip(self.welfare.groups, self.welfare.taken, self.welfare.shares, strict=True):
            order = self.market.book.orders[group.order]
            allowed = self.welfare.price(order.limit) * order.hours
            for alternative, share in zip(group.alternatives, shares, strict=True):
                payments[share] = self._price_of_lot(alternative.cell, group.first, group.last)
            if len(shares) == 1:
                terms, most = payments[shares[0]]
                if most > allowed:
                    self.program.row([*terms, (taken, most - allowed)], most=most)
            else:
                paid = [term for share in shares for term in self._paid(share, *payments[share])]
                self.program.row([*paid, *((share, -allowed) for share in shares)], most=0.0)
        return payments

    def _price_of_lot(self, cell: int, first: int, last: int) -> tuple[Terms, float]:
        hours = self.market.periods
        terms = [(self.price[cell, period], float(hours[period].hours)) for period in range(first, last)]
        most = sum(self.highest[cell, period] * hours[period].hours for period in range(first, last))
        return terms, most

    def _paid(self, lots: int, terms: Terms, most: float) -> Terms:
        """Return terms whose least value is lots times price."""
        return [(self._product(bit, lots, terms, most), weight) for weight, bit in self._in_bits(lots)]

    def _product(self, bit: int, lots: int, terms: Terms, most: float) -> int:
        if (bit, lots) not in self._products:
            product = self.program.column(0.0, upper=most, integral=False)
            self.program.row(
                [(product, 1.0), *((column, -value) for column, value in terms), (bit, -most)], least=-most
            )
            self._products[bit, lots] = product
        return self._products[bit, lots]

    def _in_bits(self, lots: int) -> list[tuple[float, int]]:
        if lots not in self._bits:
            length = int(self.program.upper[lots]).bit_length()
            bits = [(float(2**place), self.program.column(0.0, upper=1.0, integral=True)) for place in range(length)]
            self.program.row([(lots, 1.0), *((bit, -weight) for weight, bit in bits)], least=0.0, most=0.0)
            self._bits[lots] = bits
        return self._bits[lots]

    def _add_budgets(self, payments: dict[int, tuple[Terms, float]]) -> None:
        orders = self.market.book.orders
        for buyer, budget in self.market.book.budgets.items():
            paid: Terms = []
            for (order, cell, period), fill in self.welfare.fills.items():
                if orders[order].buyer == buyer:
                    paid += self._paid(fill, *self._price_of_lot(cell, period, period + 1))
            for group, shares in zip(self.welfare.groups, self.welfare.shares, strict=True):
                if orders[group.order].buyer == buyer:
                    paid += [term for share in shares for term in self._paid(share, *payments[share])]
            if paid:
                self.program.row(paid, most=self.welfare.money(budget))


def build(market: Market) -> Welfare:
    """Return the welfare program whose answers admit strict prices."""
    welfare = programs.build(market)
    _Prices(welfare).add()
    return welfare
