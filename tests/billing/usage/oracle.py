"""What a day's usage must cost, worked out apart from the engine: minute by minute, in plain whole numbers.

Nothing of the house's rating is imported. The day has three parts, cut where the tax rate rises (noon) and where the
buyer's class ends (15:00); every part is summed, priced and rounded by itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

MINUTES: Final = 1_440
CARDS: Final = 16
PARTS: Final = ((0, 720), (720, 900), (900, MINUTES))  # minutes of the day
TAX_PERCENT: Final = (6, 9, 9)
FACTOR_PERCENT: Final = (80, 80, 100)  # of the rate card
EGRESS: Final = ((1_000, 50), (5_000, 40), (None, 30))  # GB up to, fen each
TOKENS: Final = ((1_000_000, 80), (None, 60))  # tokens up to, fen per million
STORAGE_FEN: Final = 12  # a GB-month of 730 hours
ENERGY_FEN: Final = 150  # a kWh
ENERGY_MINIMUM_FEN: Final = 2_000_000
BANDWIDTH_FEN: Final = 6_000  # a Mbps at the 95th percentile
SUMMED: Final = ("egress_gb", "tokens_in", "energy_kwh")
NANO: Final = 10**9


def hour_fen(hour: int) -> int:
    """Return what a card costs in an hour of the day."""
    return 1_000 if 8 <= hour < 20 else 900


@dataclass
class Account:
    """What was accepted of one contract; quantities in billionths."""

    delivered: list[int] = field(default_factory=lambda: [0] * MINUTES)
    sums: dict[str, list[int]] = field(default_factory=lambda: {meter: [0, 0, 0] for meter in SUMMED})
    storage_seconds: list[int] = field(default_factory=lambda: [0, 0, 0])
    levels: list[int] = field(default_factory=list)  # one for each minute that was measured

    def take(self, event: dict[str, Any]) -> None:
        """Count one accepted event."""
        start, end, meter = event["start"], event["end"], event["meter"]
        if meter == "":
            for minute in range(start, end):
                self.delivered[minute] = min(CARDS, event["quantity"])
            return
        nano = int(event["quantity"] * NANO)
        minutes = [max(0, min(end, to) - max(start, since)) for since, to in PARTS]
        if meter == "bandwidth_mbps_p95":
            self.levels += [nano] * (end - start)
        elif meter == "storage_gb_months":
            self.storage_seconds = [had + nano * 60 * m for had, m in zip(self.storage_seconds, minutes, strict=True)]
        else:
            shares = [nano * m // (end - start) for m in minutes]
            rests = [nano * m % (end - start) for m in minutes]
            for part in sorted(range(3), key=lambda part: (-rests[part], part))[: nano - sum(shares)]:
                shares[part] += 1
            self.sums[meter] = [had + share for had, share in zip(self.sums[meter], shares, strict=True)]


def accepted(arrived: Iterable[tuple[int, dict[str, Any]]], contracts: int) -> list[Account]:
    """Return the accounts of contracts after the events that arrived: the first of an id counts."""
    accounts = [Account() for _ in range(contracts)]
    seen: set[str] = set()
    for contract, event in arrived:
        if event["id"] not in seen:
            seen.add(event["id"])
            accounts[contract].take(event)
    return accounts


def rounded(numerator: int, denominator: int) -> int:
    """Round to the nearest, halves away from zero."""
    whole, rest = divmod(abs(numerator), denominator)
    whole += 2 * rest >= denominator
    return whole if numerator >= 0 else -whole


def totals(account: Account) -> tuple[int, int]:
    """Return what the buyer pays and what the provider is paid, in fen, with tax."""
    capacity, given_back = _capacity(account)
    metered = _metered(account)
    customer: dict[int, int] = {}
    provider: dict[int, int] = {}
    for tax in sorted({*TAX_PERCENT}):
        of_tax = [part for part in range(3) if TAX_PERCENT[part] == tax]
        reduced = sum(metered[part] for part in of_tax if FACTOR_PERCENT[part] != 100)
        supply = capacity[tax] + sum(metered[part] for part in of_tax) - rounded(reduced * 20, 100)
        if tax == TAX_PERCENT[-1]:
            supply += _at_the_end(account)
        customer[tax] = supply - given_back[tax] + rounded(capacity[tax], 100)
        provider[tax] = supply - given_back[tax] - rounded(supply * 4, 100)
    return tuple(  # type: ignore[return-value]
        sum(net + rounded(net * tax, 100) for tax, net in side.items()) for side in (customer, provider)
    )


def _capacity(account: Account) -> tuple[dict[int, int], dict[int, int]]:
    """Return delivered value and SLA credits by tax rate: a line for each price, a credit for all of them."""
    card_minutes: dict[tuple[int, int], int] = {}
    missing_fen_minutes = dict.fromkeys(TAX_PERCENT, 0)
    for minute, delivered in enumerate(account.delivered):
        tax, fen = (6 if minute < 720 else 9), hour_fen(minute // 60)
        card_minutes[tax, fen] = card_minutes.get((tax, fen), 0) + delivered
        missing_fen_minutes[tax] += (CARDS - delivered) * fen
    value = dict.fromkeys(TAX_PERCENT, 0)
    for (tax, fen), minutes in card_minutes.items():
        value[tax] += rounded(minutes * fen, 60)
    return value, {tax: rounded(rounded(missing, 60), 10) for tax, missing in missing_fen_minutes.items()}


def _metered(account: Account) -> list[int]:
    """Return the rate card's lines of each part of the day, before the class's part is taken off."""
    found = [rounded(seconds * STORAGE_FEN, NANO * 730 * 3_600) for seconds in account.storage_seconds]
    egress = tokens = 0
    for part in range(3):
        before, egress = egress, egress + account.sums["egress_gb"][part]
        for fen, change in _changes(_stacked(egress), _stacked(before)):
            found[part] += rounded(change * fen, NANO)
        before, tokens = tokens, tokens + account.sums["tokens_in"][part]
        for fen, change in _changes(_whole(tokens), _whole(before)):
            found[part] += rounded(change * fen, NANO * 1_000_000)
        found[part] += _energy(account, part)
    return found


def _energy(account: Account, part: int) -> int:
    return rounded(account.sums["energy_kwh"][part] * ENERGY_FEN, NANO)


def _stacked(nano: int) -> dict[int, int]:
    found, floor = {}, 0
    for up_to, fen in EGRESS:
        top = nano if up_to is None else min(nano, up_to * NANO)
        found[fen] = max(0, top - floor)
        floor = max(floor, top)
    return found


def _whole(nano: int) -> dict[int, int]:
    fen = next(fen for up_to, fen in TOKENS if up_to is None or nano <= up_to * NANO)
    return {fen: nano}


def _changes(after: dict[int, int], before: dict[int, int]) -> list[tuple[int, int]]:
    return [(fen, after.get(fen, 0) - before.get(fen, 0)) for fen in {*after, *before}]


def _at_the_end(account: Account) -> int:
    """Return what is charged when the day is over: the percentile, and what is missing to the energy's minimum."""
    levels: Sequence[int] = sorted(account.levels)
    level = levels[-(-95 * len(levels) // 100) - 1] if levels else 0
    energy = sum(_energy(account, part) for part in range(3))
    return rounded(level * BANDWIDTH_FEN, NANO) + max(0, ENERGY_MINIMUM_FEN - energy)
