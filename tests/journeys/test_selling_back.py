"""Lin buys 8 cards for 10 hours and sells 4 of them back for 3 hours; Mei takes these over in the next round.

Every amount is worked out here by hand, in yuan.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.db import connection

from accounts.foundation import clock
from billing.contracts.models import Contract, ContractResale
from billing.invoices.models import Invoice
from billing.ledger import queries as ledger
from billing.ledger.chart import Code
from config.audit.checks import ALL
from exchange.agents.plan import Behaviour, Shortfall
from exchange.leases import resales
from exchange.leases.models import Lease
from exchange.trades.models import Trade
from tests.exchange import cast
from tests.exchange.cast import GATE, HOUR, NOW, D, funds, micros, yuan
from tests.exchange.leases.delivery import at, billed, lines, part, violated
from tests.exchange.leases.reselling import Stage, order, resold, run_round, sell_back, serve, staged, taken


@pytest.fixture
def stage(db: None) -> Iterator[Stage]:
    with clock.travel(NOW):
        yield staged(cast.make_story())


@pytest.fixture
def hourly(db: None) -> Iterator[Stage]:
    """A market with a gate every hour, so that what was bought in one round is sold on in the next."""
    with clock.travel(NOW):
        story = cast.make_story()
        market = cast.make_market(story.operator, "hourly", gate_interval_seconds=3600, gate_offset_seconds=0)
        yield staged(replace(story, market=market))


def sums(document: Invoice) -> tuple[int, int, int]:
    return document.net_minor, document.tax_minor, document.total_minor


def test_hours_that_lin_sells_back_are_delivered_to_mei_and_everybody_is_billed_their_own(stage: Stage) -> None:
    assert stage.owed() == [(8, 10, 20)]
    hers = resold(stage)
    # One offer at 5.00 meets a bid of 7.00, and the next offer is at 8.00: the price is centred between 5.00 and 7.00.
    trade = Trade.objects.get(buyer_id=stage.mei.organisation())
    assert (trade.price_micros, trade.unit_hours, trade.provider_id) == (micros("6.00"), 12, hers.provider_id)
    assert stage.owed() == [(8, 10, 14), (4, 14, 17), (8, 17, 20)]
    assert stage.owed(hers) == [(4, 14, 17)]
    resale = ContractResale.objects.get()
    assert (resale.price_micros, resale.commission_ppm) == (micros("6.00"), 40_000)

    serve(12, 22)
    at(D + 26 * HOUR)
    first, second = Contract.objects.get(id=stage.lease.contract_id), Contract.objects.get(id=hers.contract_id)
    assert (first.status, second.status, second.origin) == ("ended", "ended", first)
    of_lin, of_first = billed(first)
    meis, of_second = billed(second)

    # Lin: 68 card-hours delivered and 12 sold back at 8.00; 96 % of 12 at 6.00 is credited.
    assert lines(of_lin) == [
        ("capacity", yuan("544.00")),
        ("resold", yuan("96.00")),
        ("resale", -yuan("69.12")),
        ("fee", yuan("5.44")),
    ]
    assert sums(of_lin) == (yuan("576.32"), yuan("34.58"), yuan("610.90"))
    texts = dict(of_lin.lines.values_list("kind", "description"))
    assert texts["resold"] == "Still due of 12 card-hours sold back for 2026-05-03 14:00-17:00"
    assert texts["resale"] == "Credit for 12 card-hours sold back at 6.00 for 2026-05-03 14:00-17:00"
    # Mei: 12 card-hours at 6.00 and the fee.
    assert lines(meis) == [("capacity", yuan("72.00")), ("fee", yuan("0.72"))]
    assert sums(meis) == (yuan("72.72"), yuan("4.36"), yuan("77.08"))
    # The provider: 80 card-hours at 8.00 less 4 %, as if nothing had been sold back.
    assert lines(of_first) == [("capacity", yuan("544.00")), ("commission", -yuan("21.76"))]
    assert lines(of_second) == [("capacity", yuan("96.00")), ("commission", -yuan("3.84"))]
    assert sums(of_first) == (yuan("522.24"), yuan("31.33"), yuan("553.57"))
    assert sums(of_second) == (yuan("92.16"), yuan("5.53"), yuan("97.69"))
    # The exchange is left with its fees of 6.16, the provider's commission of 25.60, and 4 % of 72.00.
    net = of_lin.net_minor + meis.net_minor - of_first.net_minor - of_second.net_minor
    assert net == yuan("6.16") + yuan("25.60") + yuan("2.88")
    kept = sum(ledger.balance(code, "CNY", None) for code in (Code.CAPACITY_REVENUE, Code.FEE_INCOME))
    assert -kept - ledger.balance(Code.COST_OF_CAPACITY, "CNY", None) == net
    assert funds(stage.lin) == (yuan("489.10"), 0, yuan("489.10"))
    assert funds(stage.mei) == (yuan("622.92"), 0, yuan("622.92"))
    for contract in (first, second):
        contract.refresh_from_db()
        assert (contract.status, contract.held_minor) == ("settled", 0)
    with connection.cursor() as cursor:
        # Nothing is committed, runs jobs or gates in between here, and the wallets were filled without a top-up.
        broken = {one.code for one in ALL if one.check(cursor).violations}
        assert broken <= {"L7", "L8", "M8", "O2"}


def test_hours_are_sold_back_again_and_each_owes_what_follows_from_the_last(hourly: Stage) -> None:
    """Lin sells 4 cards for 4 hours on to Mei at 6.00, and Mei half of them for 2 to Third at 7.00, who misses one."""
    third = cast.buyer("Third Lab", "500")
    at(GATE + HOUR / 4)
    sell_back(hourly, 4, 14, 18)
    order(hourly.mei, cast.hourly(hourly.story, "7.00", quantity_max=4, first=14, last=18))
    run_round(hourly.story, GATE + HOUR)
    hers = taken(hourly)
    at(GATE + 5 * HOUR / 4)
    again = resales.SellBack(part(2, 15, 17), micros("6.50"))
    resales.sell_back(hourly.mei, hers.id, again, now=clock.now())
    order(third, cast.hourly(hourly.story, "7.50", quantity_max=2, first=15, last=17))
    run_round(hourly.story, GATE + 2 * HOUR)
    last = Lease.objects.select_related("contract").get(buyer_id=third.organisation())
    assert (last.contract.origin_id, hers.contract.origin_id) == (hers.contract_id, hourly.lease.contract_id)
    assert hourly.owed(hers) == [(4, 14, 15), (2, 15, 17), (4, 17, 18)]
    assert hourly.owed(last) == [(2, 15, 17)]
    (run,) = last.contract.slots.all()
    assert (run.price_micros, run.provider_price_micros) == (micros("7.00"), micros("8.00"))

    missing = Shortfall(D + 16 * HOUR, D + 17 * HOUR, 0)
    serve(-1, 22, {last: Behaviour(shortfalls=(missing,), readings=(), step=HOUR)})
    of_lin, _ = billed(hourly.lease.contract)
    meis, _ = billed(hers.contract)
    thirds, statement = billed(last.contract)
    # 2 of Third's 4 card-hours were there; a tenth of the other 2 is credited.
    assert lines(thirds) == [("capacity", yuan("14.00")), ("sla_credit", -yuan("1.40")), ("fee", yuan("0.14"))]
    # Mei: 12 card-hours at 6.00, and 2 that Third had, for which 96 % of 14.00 are credited.
    assert lines(meis) == [
        ("capacity", yuan("72.00")),
        ("resold", yuan("12.00")),
        ("resale", -yuan("13.44")),
        ("fee", yuan("0.72")),
    ]
    # Lin: 14 of the 16 card-hours at 8.00, for which 96 % of what Mei owes at 6.00 are credited, of 72.00 and 12.00.
    amounts: Counter[str] = Counter()
    for kind, minor in lines(of_lin):
        amounts[kind] += minor
    assert (amounts["resold"], amounts["resale"]) == (yuan("112.00"), -yuan("80.64"))
    # The provider has the price agreed first for what was there, and bears the service credit.
    assert lines(statement) == [
        ("capacity", yuan("16.00")),
        ("sla_credit", -yuan("1.40")),
        ("commission", -yuan("0.64")),
    ]
    assert violated() == []
