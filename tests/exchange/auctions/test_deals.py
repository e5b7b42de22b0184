"""From an outcome to runs of deals: nothing is lost, and runs are as long as they can be."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from exchange.auctions import deals
from exchange.auctions.deals import Deal, PricedRun, Run
from exchange.clearing.outcome import Outcome, PriceRun, Trade


def test_an_orders_trades_become_deals_in_units_from_the_earliest_slot_on() -> None:
    trades = [Trade("ord_a", "off_a", 8, 20, 2, 80), Trade("ord_a", "off_a", 0, 8, 2, 72)]
    assert deals.by_order(trades, lot_units=8) == {
        "ord_a": (Deal("ord_a", "off_a", 0, 8, 16, 9), Deal("ord_a", "off_a", 8, 20, 16, 10))
    }


def test_stretches_of_one_order_and_one_offer_become_one_run_again() -> None:
    trades = [Trade("ord_a.0", "off_a.0", 0, 4, 2, 5), Trade("ord_a.4", "off_a.4", 4, 8, 2, 5)]
    assert deals.by_order(trades, lot_units=1) == {"ord_a": (Deal("ord_a", "off_a", 0, 8, 2, 5),)}


def test_a_price_between_two_whole_prices_per_unit_is_lowered_everywhere() -> None:
    outcome = Outcome({"c": (PriceRun(0, 4, 83),)}, (Trade("o", "f", 0, 4, 1, 83),), 1, 1)
    lowered = deals.with_whole_unit_prices(outcome, lot_units=8)
    assert lowered.prices == {"c": (PriceRun(0, 4, 80),)}
    assert lowered.trades == (Trade("o", "f", 0, 4, 1, 80),)
    assert deals.with_whole_unit_prices(outcome, lot_units=1) is outcome


def test_a_lease_runs_through_a_change_of_price_and_a_contract_does_not() -> None:
    found = (Deal("o", "f", 0, 8, 16, 9), Deal("o", "f", 8, 20, 16, 10))
    assert deals.lease_runs(found) == (Run(0, 20, 16),)
    assert deals.contract_runs(found) == (PricedRun(0, 8, 16, 9), PricedRun(8, 20, 16, 10))


def test_an_hour_from_two_offers_has_the_smaller_of_each_share() -> None:
    first, second = Deal("o", "f", 0, 8, 16, 9), Deal("o", "g", 4, 12, 2, 9)
    least = deals.least_credits([(first, (500_000, 50_000, 40_000)), (second, (100_000, 90_000, 30_000))])
    assert least == (
        dict.fromkeys(range(4), (500_000, 50_000, 40_000))
        | dict.fromkeys(range(4, 8), (100_000, 50_000, 30_000))
        | dict.fromkeys(range(8, 12), (100_000, 90_000, 30_000))
    )
    assert deals.by_credit(PricedRun(2, 10, 16, 9), least) == [
        (2, 4, (500_000, 50_000, 40_000)),
        (4, 8, (100_000, 50_000, 30_000)),
        (8, 10, (100_000, 90_000, 30_000)),
    ]


@given(
    st.lists(
        st.tuples(st.sampled_from(["off_a", "off_b"]), st.integers(0, 20), st.integers(1, 6), st.integers(1, 4)),
        max_size=8,
    ),
    st.lists(st.integers(0, 3), min_size=26, max_size=26),
)
def test_deals_hold_slot_by_slot_what_the_outcome_says(
    fills: list[tuple[str, int, int, int]], price_by_slot: list[int]
) -> None:
    # One trade per slot, the way an outcome without merged runs would say it.
    outcome = [
        Trade("ord_a", offer, slot, slot + 1, lots, price_by_slot[slot])
        for offer, start, length, lots in fills
        for slot in range(start, start + length)
    ]
    found = deals.by_order(outcome, lot_units=1).get("ord_a", ())
    for offer in ("off_a", "off_b"):
        for slot in range(26):
            said = sum(trade.qty for trade in outcome if (trade.offer, trade.t0) == (offer, slot))
            dealt = [deal for deal in found if deal.offer_id == offer and deal.start <= slot < deal.end]
            assert sum(deal.units for deal in dealt) == said
            assert all(deal.price_micros == price_by_slot[slot] for deal in dealt)
            assert len(dealt) <= 1
    for left, right in itertools.pairwise(found):
        joined = (left.offer_id, left.end, left.units, left.price_micros)
        assert joined != (right.offer_id, right.start, right.units, right.price_micros)
