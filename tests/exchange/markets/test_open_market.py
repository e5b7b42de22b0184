"""The command that opens a market."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from exchange.markets.models import Market
from exchange.markets.rules import MarketStatus

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    printed = StringIO()
    call_command("open_market", "--code=my-cards", "--name=Cards by the hour", *arguments, stdout=printed)
    return printed.getvalue()


def test_without_options_it_is_a_daily_market_with_its_gate_at_noon() -> None:
    assert run() == "Cards by the hour (my-cards) is open.\n"
    market = Market.objects.get()
    assert market.status == MarketStatus.OPEN
    assert (market.unit, market.currency, market.tick_micros) == ("card_hours", "CNY", 10_000)
    assert (market.gate_interval_seconds, market.gate_offset_seconds) == (24 * 3600, 12 * 3600)


def test_its_rules_are_what_was_said() -> None:
    run("--currency=USD", "--tick=0.001", "--lowest=0.5", "--highest=90", "--gate-every=3600", "--gate-offset=0")
    market = Market.objects.get()
    assert market.currency == "USD"
    assert (market.tick_micros, market.collar_min_micros, market.collar_max_micros) == (1_000, 500_000, 90_000_000)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("--code=My Cards", "lower-case letters"),
        ("--tick=free", "a price such as 9.00"),
        ("--gate-every=60", "gate_offset_seconds"),
        ("--unit=parsecs", "unit"),
        ("--name=", "printable characters"),
    ],
)
def test_wrong_values_are_named_and_nothing_is_opened(wrong: str, reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        run(wrong)
    assert not Market.objects.exists()


def test_a_code_that_is_taken_is_refused() -> None:
    run()
    with pytest.raises(CommandError, match="my-cards"):
        run()
