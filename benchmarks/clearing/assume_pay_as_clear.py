"""Time ASSUME's pay-as-clear: run by the Python of its own environment, orders from standard input, seconds out.

Nothing of the project imports this file or that package; see ``single_product.py`` for how it is called.
"""

import json
import sys
import time
from datetime import datetime, timedelta
from importlib import import_module


def main() -> None:
    """Clear ``[price, volume]`` pairs, demand with negative volume, and print the seconds."""
    role = import_module("assume.markets.clearing_algorithms.simple").PayAsClearRole
    start = datetime(2026, 1, 1)  # noqa: DTZ001 - the package's own orders are naive
    end = start + timedelta(hours=1)
    orders = [
        {
            "bid_id": f"o{place}",
            "agent_addr": "one",
            "start_time": start,
            "end_time": end,
            "only_hours": None,
            "price": price,
            "volume": volume,
        }
        for place, (price, volume) in enumerate(json.load(sys.stdin))
    ]
    began = time.perf_counter()
    accepted = role.clear(object.__new__(role), orders, [(start, end, None)])[0]
    seconds = time.perf_counter() - began
    if not accepted:
        raise SystemExit("nothing was accepted")
    print(seconds)


if __name__ == "__main__":
    main()
