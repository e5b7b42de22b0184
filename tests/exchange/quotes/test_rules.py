"""The cheapest combination, against trying every one."""

from collections.abc import Sequence
from datetime import datetime
from itertools import product
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from exchange.quotes import rules
from exchange.quotes.rules import Supply, Taken
from tests.exchange.cast import HOUR, D

HOURS = [D, D + HOUR, D + 2 * HOUR]


def supply(number: int, price: int, free: Sequence[int], *, pool: str = "a", seq: int | None = None) -> Supply:
    by_hour = dict(zip(HOURS, free, strict=True))
    return Supply(UUID(int=number), pool, price, number if seq is None else seq, by_hour)


@st.composite
def supplies(draw: st.DrawFn) -> list[Supply]:
    return [
        supply(
            number,
            draw(st.integers(1, 4)),
            draw(st.lists(st.integers(0, 4), min_size=3, max_size=3)),
            pool=draw(st.sampled_from("ab")),
        )
        for number in range(draw(st.integers(0, 4)))
    ]


def cost(taken: Sequence[Taken], among: Sequence[Supply]) -> int:
    price_of = {one.offer_id: one.price_micros for one in among}
    return sum(run.unit_hours * price_of[run.offer_id] for run in taken)


def cheapest_of_all(
    among: Sequence[Supply], wanted: Sequence[datetime], quantity: int, *, single_site: bool
) -> int | None:
    """Try every share of every offer in every hour."""
    pools = sorted({one.pool for one in among}) if single_site else [None]
    sums = []
    for pool in pools:
        own = [one for one in among if pool is None or one.pool == pool]
        hourly = [
            min(
                (
                    sum(units * one.price_micros for units, one in zip(shares, own, strict=True))
                    for shares in product(*(range(one.free.get(hour, 0) + 1) for one in own))
                    if sum(shares) == quantity
                ),
                default=None,
            )
            for hour in wanted
        ]
        if all(one is not None for one in hourly):
            sums.append(sum(one or 0 for one in hourly))
    return min(sums, default=None)


@given(supplies(), st.integers(1, 8), st.integers(1, 3), st.booleans())
def test_no_combination_is_cheaper_and_what_cannot_be_had_is_not_promised(
    among: list[Supply], quantity: int, hours: int, single_site: bool
) -> None:
    wanted = HOURS[:hours]
    found = rules.cheapest(among, wanted, quantity=quantity, lot_units=1, single_site=single_site)
    best = cheapest_of_all(among, wanted, quantity, single_site=single_site)
    assert (None if found is None else cost(found, among)) == best
    assert (quantity <= rules.most(among, wanted, lot_units=1, single_site=single_site)) == (best is not None)
    for hour in wanted if found else []:
        inside = [run for run in found or () if run.starts_at <= hour < run.ends_at]
        assert sum(run.quantity for run in inside) == quantity
        for run in inside:
            (own,) = [one for one in among if one.offer_id == run.offer_id]
            assert run.quantity <= own.free[hour]


@given(supplies(), st.integers(1, 8), st.randoms(use_true_random=False))
def test_the_order_in_which_offers_are_read_does_not_matter(among: list[Supply], quantity: int, dice: object) -> None:
    shuffled = list(among)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    asked = {"quantity": quantity, "lot_units": 1, "single_site": True}
    assert rules.cheapest(among, HOURS, **asked) == rules.cheapest(shuffled, HOURS, **asked)  # type: ignore[arg-type]


def test_of_equal_prices_the_older_offer_comes_first_and_equal_hours_are_one_run() -> None:
    among = [supply(1, 5, [4, 4, 4], seq=9), supply(2, 5, [2, 2, 1], seq=3)]
    found = rules.cheapest(among, HOURS, quantity=3, lot_units=1, single_site=False)
    assert found == (
        Taken(UUID(int=2), D, D + 2 * HOUR, 2),
        Taken(UUID(int=2), D + 2 * HOUR, D + 3 * HOUR, 1),
        Taken(UUID(int=1), D, D + 2 * HOUR, 1),
        Taken(UUID(int=1), D + 2 * HOUR, D + 3 * HOUR, 2),
    )


def test_what_is_less_than_a_lot_is_not_for_sale() -> None:
    among = [supply(1, 5, [7, 8, 8])]
    assert rules.most(among, HOURS, lot_units=4, single_site=False) == 4
    assert rules.cheapest(among, HOURS, quantity=8, lot_units=4, single_site=False) is None


@given(supplies(), st.integers(0, 60))
def test_the_largest_affordable_quantity_is_found_as_by_trying_each(among: list[Supply], budget: int) -> None:
    most = rules.most(among, HOURS, lot_units=1, single_site=False)

    def price(quantity: int) -> int:
        found = rules.cheapest(among, HOURS, quantity=quantity, lot_units=1, single_site=False)
        assert found is not None
        return cost(found, among)

    largest = rules.largest_affordable(most, price, lot_units=1, within_minor=budget)
    assert largest == max((n for n in range(1, most + 1) if price(n) <= budget), default=0)
