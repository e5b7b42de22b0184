"""What the fast path is measured against gives the same answer."""

import pytest

from benchmarks.clearing import single_product


@pytest.mark.parametrize("orders", [2, 10, 1_000, 10_000])
def test_the_pure_loop_of_the_benchmark_says_what_the_fast_path_says(orders: int) -> None:
    bids, asks = single_product.sides(orders)

    single_product.check(bids, asks, single_product.pure_python(single_product.rows(bids), single_product.rows(asks)))
