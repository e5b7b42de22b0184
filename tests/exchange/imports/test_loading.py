"""Parsed files in a market: everything through the public services, all of it or nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.actors.actor import Actor, Capability
from accounts.actors.errors import NotAllowed
from accounts.foundation import clock
from accounts.organisations.models import Organisation
from billing.ledger import queries as ledger
from catalog.offerings.models import Offering
from catalog.sites.models import Hub, Site
from exchange.capacity.models import CapacitySlot
from exchange.imports import demand, market, supply
from exchange.imports.alibaba import Plan, parse_alibaba
from exchange.imports.errors import NothingToImport, RateNeeded
from exchange.imports.loading import Loaded
from exchange.imports.vast import parse_vast
from exchange.markets.models import Market
from exchange.offers.errors import OfferInvalid
from exchange.offers.models import Offer
from exchange.orders.models import Order
from exchange.orders.rules import LimitSource
from tests.exchange import cast
from tests.exchange.imports import files

NOW = cast.NOW + timedelta(minutes=10)
FIRST = datetime(2026, 5, 1, 6, tzinfo=UTC)  # the gate at 05:00 and half an hour's lead
DAY = timedelta(days=1)


@pytest.fixture
def operator(db: None) -> Iterator[Actor]:
    """The operator on duty; the clock stands at NOW."""
    with clock.travel(NOW):
        yield cast.make_operator()


@pytest.fixture
def gpus(operator: Actor) -> Market:
    """The market of the imports."""
    return market.opened(operator, now=NOW)


def load(path: Path, *changes: dict[str, str], gpus: Market, operator: Actor, rate: Decimal | None = None) -> Loaded:
    """Import a file of asks into two days."""
    parsed = parse_vast([files.asks(path / "asks.csv", *changes)])
    return supply.load_offers(
        parsed, market=gpus, actor=operator, now=NOW, starts_at=FIRST, ends_at=FIRST + 2 * DAY, rate=rate
    )


def test_a_machine_is_listed_priced_and_offered(tmp_path: Path, gpus: Market, operator: Actor) -> None:
    loaded = load(tmp_path, {}, {"machine_id": "11", "num_gpus": "4"}, gpus=gpus, operator=operator)
    assert (loaded.entered, loaded.organisations, loaded.left_out) == (2, 1, {})
    offer = Offer.objects.get(quantity=8)
    assert (offer.reserve_micros, offer.starts_at, offer.ends_at) == (2_100_000, FIRST, FIRST + 2 * DAY)
    assert CapacitySlot.objects.filter(offering=offer.offering, listed=8, offered=8).count() == 48
    host = offer.provider
    assert (host.name, host.synthetic, host.simulated_agent, host.country) == ("Host 5", True, True, "US")
    rates = offer.offering.rate_cards.get().items.values_list("meter", "price_micros")
    assert dict(rates) == {"storage_gb_months": 150_000, "egress_gb": 4, "ingress_gb": 0}
    assert offer.offering.attributes == {
        "source": "vast",
        "machine": "10",
        "ask": "1000",
        "reliability": "0.9981",
        "verification": "verified",
    }
    assert Site.objects.get().code == "us-texas"
    assert Hub.objects.get(national=False).name_zh == "美国"


def test_the_days_of_the_files_are_spread_over_the_window(tmp_path: Path, gpus: Market, operator: Actor) -> None:
    days = ("2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02")
    rows = [{"day": day, "machine_id": str(number + 1)} for number, day in enumerate(days)]
    load(tmp_path, *rows, gpus=gpus, operator=operator)
    starts = Offer.objects.order_by("offering__attributes__machine").values_list("starts_at", flat=True)
    assert list(starts) == [FIRST, FIRST, FIRST + DAY, FIRST + DAY]


def test_a_machine_is_offered_until_its_host_takes_it_back(tmp_path: Path, gpus: Market, operator: Actor) -> None:
    midnight = int(datetime(2026, 2, 27, tzinfo=UTC).timestamp())
    load(tmp_path, {"end_date": str(midnight + 5 * 3600 + 1800)}, gpus=gpus, operator=operator)
    assert Offer.objects.get().ends_at == FIRST + timedelta(hours=5)


def test_importing_again_offers_nothing_twice(tmp_path: Path, gpus: Market, operator: Actor) -> None:
    load(tmp_path, {}, gpus=gpus, operator=operator)
    again = load(tmp_path, {}, {"machine_id": "11"}, gpus=gpus, operator=operator)
    assert (again.entered, again.left_out) == (1, {"machine offered already": 1})
    assert (Offer.objects.count(), Offering.objects.count()) == (2, 2)
    assert Organisation.objects.filter(can_sell=True).count() == 1
    with pytest.raises(NothingToImport):
        load(tmp_path, {}, gpus=gpus, operator=operator)


def test_prices_in_another_currency_need_a_rate_and_never_fall_below_the_ask(tmp_path: Path, operator: Actor) -> None:
    yuan = cast.make_market(operator)
    with pytest.raises(RateNeeded, match="USD and the market is in CNY"):
        load(tmp_path, {}, gpus=yuan, operator=operator)
    parsed = parse_vast([files.asks(tmp_path / "asks.csv", {})])
    window = {"starts_at": cast.D, "ends_at": cast.D + DAY}
    supply.load_offers(parsed, market=yuan, actor=operator, now=cast.NOW, **window, rate=Decimal("7.123457"))
    # 2.10 x 7.123457 = 14.9592597, up to the tick of 0.01.
    assert Offer.objects.get().reserve_micros == 14_960_000


def test_a_price_outside_the_collar_is_left_out(tmp_path: Path, gpus: Market, operator: Actor) -> None:
    loaded = load(tmp_path, {}, {"machine_id": "11", "dph_base": "900"}, gpus=gpus, operator=operator)
    assert loaded.left_out == {"price outside the market's collar": 1}


def test_a_window_that_the_gate_cannot_deliver_imports_nothing_at_all(
    tmp_path: Path, gpus: Market, operator: Actor
) -> None:
    before = Organisation.objects.count()
    parsed = parse_vast([files.asks(tmp_path / "asks.csv", {})])
    with pytest.raises(OfferInvalid):
        supply.load_offers(parsed, market=gpus, actor=operator, now=NOW, starts_at=FIRST - DAY, ends_at=FIRST + DAY)
    assert (Organisation.objects.count(), Site.objects.count(), Offering.objects.count()) == (before, 0, 0)


def test_only_the_operator_imports(tmp_path: Path, gpus: Market) -> None:
    nobody = Actor(None, None, None, frozenset({Capability.LIST, Capability.TRADE}), "nobody")
    with pytest.raises(NotAllowed):
        load(tmp_path, {}, gpus=gpus, operator=nobody)
    parsed = parse_alibaba(files.pods(tmp_path / "pods.csv", {}), Plan(days=2, seed=1))
    with pytest.raises(NotAllowed):
        demand.load_orders(parsed, market=gpus, actor=nobody, now=NOW, starts_at=FIRST)


def test_orders_are_funded_placed_and_labelled_synthetic(tmp_path: Path, gpus: Market, operator: Actor) -> None:
    listed = (("H200", "143771"), ("RTX 4090", "24564"), ("Tesla V100", "32768"))
    cards = [
        {"machine_id": str(number), "gpu_name": name, "gpu_ram": memory}
        for number, (name, memory) in enumerate(listed, start=1)
    ]
    load(tmp_path, *cards, gpus=gpus, operator=operator)
    parsed = parse_alibaba(files.many_pods(tmp_path / "pods.csv", 40), Plan(days=2, seed=3, buyers=4))
    loaded = demand.load_orders(parsed, market=gpus, actor=operator, now=NOW, starts_at=FIRST)
    placed = Order.objects.count()
    assert loaded.organisations == 4
    assert loaded.entered == placed
    # What nobody lists (L40S, A100) is refused with its reason and counted; no wallet runs dry.
    refused = {reason: count for reason, count in loaded.left_out.items() if reason.startswith("refused")}
    assert refused == {"refused: needs_unsatisfiable": len(parsed.orders) - placed}
    assert placed > 25
    assert set(Order.objects.values_list("limit_source", flat=True)) == {LimitSource.SYNTHETIC}
    buyer = Organisation.objects.get(name="Trace buyer 01")
    assert buyer.synthetic
    assert ledger.funds(buyer.id, "USD").available_minor > 0


def test_orders_that_nothing_can_fill_import_nothing(tmp_path: Path, gpus: Market, operator: Actor) -> None:
    parsed = parse_alibaba(files.pods(tmp_path / "pods.csv", {}), Plan(days=2, seed=1))
    with pytest.raises(NothingToImport):
        demand.load_orders(parsed, market=gpus, actor=operator, now=NOW, starts_at=FIRST)
    assert not Organisation.objects.filter(name__startswith="Trace buyer").exists()


def run(*arguments: object) -> str:
    """Run a command and return what it printed."""
    printed = StringIO()
    call_command(*map(str, arguments), stdout=printed)
    return printed.getvalue()


def test_the_commands_import_and_say_what_they_did(tmp_path: Path, operator: Actor) -> None:
    asks = files.asks(tmp_path / "asks.csv", *({"machine_id": str(n), "host_id": str(n)} for n in range(1, 5)))
    pods = files.many_pods(tmp_path / "pods.csv", 30)
    offered = run("import_offers", "--source", "vast", asks, "--days", "2")
    assert offered.startswith("4 offers from 4 rows of 4 providers")
    ordered = run("import_orders", "--source", "alibaba", pods, "--days", "2", "--seed", "5", "--at-most", "20")
    assert "orders (synthetic limits) from 30 rows" in ordered
    assert "left out, thinned out: 10" in ordered
    assert Market.objects.get().code == "gpu-usd"


def test_a_wrong_file_stops_the_command_and_stores_nothing(tmp_path: Path, operator: Actor) -> None:
    good = files.asks(tmp_path / "good.csv", {})
    wrong = files.asks(tmp_path / "wrong.csv", {}, {"dph_base": "1,5"})
    with pytest.raises(CommandError, match=r"wrong.csv, row 3, column dph_base: '1,5'; expected a number") as refused:
        run("import_offers", "--source", "vast", good, wrong)
    assert refused.value.returncode == 1
    pods = files.pods(tmp_path / "pods.csv", {"num_gpu": "-1"})
    with pytest.raises(CommandError, match=r"pods.csv, row 2, column num_gpu"):
        run("import_orders", "--source", "alibaba", pods)
    assert not Market.objects.exists()
    assert not Offering.objects.exists()


@pytest.mark.usefixtures("db")
def test_without_an_operator_nothing_is_imported(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No organisation operates"):
        run("import_offers", "--source", "vast", files.asks(tmp_path / "asks.csv", {}))


@pytest.mark.parametrize(
    "arguments",
    [
        ("import_offers", "--source", "elsewhere", "x.csv"),
        ("import_offers", "--source", "vast"),
        ("import_offers", "--source", "vast", "x.csv", "--rate", "NaN"),
        ("import_offers", "--source", "vast", "x.csv", "--days", "0"),
        ("import_offers", "--source", "vast", "x.csv", "--starts", "2026-05-01T00:00:00"),
        ("import_orders", "--source", "alibaba", "x.csv", "--seed", "-1"),
        ("import_orders", "--source", "alibaba", "x.csv", "--at-most", "1e3"),
    ],
)
def test_an_option_that_cannot_be_read_is_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        run(*arguments)
