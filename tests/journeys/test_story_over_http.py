"""The story again, the way members live it: API keys, requests and the job runner; every number exact."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from accounts.actors import services as actors
from accounts.actors.actor import Actor
from accounts.foundation import clock, ids
from accounts.keys import services as keys
from accounts.keys.rules import Scope
from accounts.organisations import members
from accounts.organisations.models import Organisation, User
from accounts.organisations.rules import Role
from catalog.measures.interval import HOUR
from exchange.auctions import gates
from exchange.clearing import parsing, verify
from exchange.demo import cast as casts
from exchange.demo.cast import Cast
from exchange.demo.story import do_jobs
from exchange.leases import ticks
from tests.api.caller import Api

DAY = date(2026, 11, 20)
MIDNIGHT = datetime(2026, 11, 19, 16, tzinfo=UTC)  # of the delivery day in Shanghai
SYSTEM = Actor.system("test")


@dataclass
class Members:
    """Everybody's access: traders, sellers and agents by key, finance and the operator signed in."""

    cast: Cast
    beichen: Api
    lanting: Api
    qinghe: Api
    huailai: Api
    zhangbei: Api
    finance: Api


def person(of: Organisation, name: str, role: Role) -> User:
    user = members.create_user(
        SYSTEM, email=f"{name}@example.com", display_name=name.title(), password="a sparrow crossed", now=clock.now()
    )
    members.add_member(SYSTEM, of.id, user.id, role, now=clock.now())
    return user


def key_of(administrator: User, *scopes: Scope) -> Api:
    now = clock.now()
    actor = actors.for_user(administrator, None)
    issued = keys.issue(actor, name="script", scopes=scopes, expires_at=now + timedelta(days=30), now=now)
    return Api(issued.secret_text)


@pytest.fixture
def who(db: None) -> Iterator[Members]:
    with clock.travel(MIDNIGHT - timedelta(days=3)):
        cast = casts.assemble()
        buying = (Scope.READ, Scope.TRADE)
        selling = (Scope.READ, Scope.LIST, Scope.DELIVER, Scope.METER)
        yield Members(
            cast=cast,
            beichen=key_of(person(cast.beichen, "beichen", Role.BUYER_ADMIN), *buying),
            lanting=key_of(person(cast.lanting, "lanting", Role.BUYER_ADMIN), *buying),
            qinghe=key_of(person(cast.qinghe, "qinghe", Role.BUYER_ADMIN), *buying),
            huailai=key_of(person(cast.huailai, "huailai", Role.PROVIDER_ADMIN), *selling),
            zhangbei=key_of(person(cast.zhangbei, "zhangbei", Role.PROVIDER_ADMIN), *selling),
            finance=Api.signed_in(person(cast.operator, "finance", Role.FINANCE_OPERATOR)),
        )


def ok(response: Any) -> Any:
    """Return the body of a success."""
    assert response.status_code in {200, 201}, response.content
    return response.json()


def only(response: Any) -> Any:
    """Return the one row of a list."""
    (row,) = ok(response)["data"]
    return row


def funds(api: Api) -> tuple[str, str, str]:
    """Return balance, held and available as the wallet shows them."""
    (shown,) = ok(api.get("/v1/wallet"))["funds"]
    return shown["balance"]["amount"], shown["held"]["amount"], shown["available"]["amount"]


def local(hour: int, *, days: int = 0) -> str:
    """Spell an hour of the delivery day with the offset of Shanghai."""
    instant = MIDNIGHT + hour * HOUR + timedelta(days=days) + timedelta(hours=8)
    return instant.replace(tzinfo=None).isoformat() + "+08:00"


def top_up(who: Members, api: Api, amount: str) -> None:
    asked = ok(api.post("/v1/top-ups", {"amount": {"amount": amount, "currency": "CNY"}}))
    line = {
        "bank_reference": f"BANK-{asked['reference']}",
        "amount": asked["amount"],
        "value_date": "2026-11-18",
        "payer": asked["organisation_name"],
        "remittance": asked["reference"],
    }
    assert ok(who.finance.post(f"/v1/top-ups/{asked['id']}/confirm", line))["status"] == "confirmed"


def enter(who: Members) -> dict[str, str]:
    """Enter S1, S2, B1, B2 and B3 and return their ids."""
    cast = who.cast
    day = {"starts_at": local(0), "ends_at": local(24), "quantity": 16, "market": "ai-cards", "lists_capacity": True}
    evening = {"kind": "hourly", "market": "ai-cards", "earliest_at": local(8), "latest_at": local(20)}
    needs = {"model": ["ascend-910b3"]}
    s1 = day | {"offering": ids.spell("ofr", cast.huailai_cards.id), "reserve_price": "8.00"}
    s2 = day | {"offering": ids.spell("ofr", cast.zhangbei_cards.id), "reserve_price": "10.00"}
    b1 = {
        "kind": "block",
        "market": "ai-cards",
        "quantity": 16,
        "hours": 24,
        "earliest_at": local(0),
        "latest_at": local(24),
        "single_site": True,
        "limit_price": "12.50",
        "needs": needs,
    }
    entered = {
        "S1": who.huailai.post("/v1/offers", s1),
        "S2": who.zhangbei.post("/v1/offers", s2),
        "B1": who.beichen.post("/v1/orders", b1),
        "B2": who.lanting.post("/v1/orders", evening | {"quantity": 12, "limit_price": "11.00", "needs": needs}),
        "B3": who.qinghe.post("/v1/orders", evening | {"quantity": 8, "limit_price": "9.00", "needs": needs}),
    }
    return {name: ok(response)["id"] for name, response in entered.items()}


def report(api: Api, lease: str, first: int, last: int, quantity: int) -> None:
    """Report an allocation segment of whole hours, an hour at a time, as an agent would."""
    batch = [
        {
            "specversion": "1.0",
            "id": f"{lease}-{hour}",
            "source": "/clusters/zjk",
            "type": "exchange.allocation.segment.v1",
            "data": {"lease": lease, "start": local(hour), "end": local(hour + 1), "quantity": quantity},
        }
        for hour in range(first, last)
    ]
    taken = ok(api.post("/v1/usage-events", batch, key=None, content_type="application/cloudevents-batch+json"))
    assert {item["status"] for item in taken["results"]} == {"accepted"}, taken


def deliver(api: Api, *, hours: range, short: dict[int, int], egress: str | None = None) -> str:
    """Take a lease from its acknowledgement to its end and return its id."""
    clock.set_virtual(MIDNIGHT - timedelta(hours=11, minutes=55))
    lease = only(api.get("/v1/leases"))
    address, quantity = f"/v1/leases/{lease['id']}", int(lease["quantity"])
    assert ok(api.post(f"{address}/acknowledge"))["status"] == "acknowledged"
    clock.set_virtual(MIDNIGHT + hours.start * HOUR)
    assert ok(api.post(f"{address}/activate", {"access": "ssh lab@10.0.0.7"}))["status"] == "active"
    for hour in hours:
        clock.set_virtual(MIDNIGHT + (hour + 1) * HOUR)
        report(api, lease["id"], hour, hour + 1, short.get(hour, quantity))
        if hour + 1 < hours.stop:
            assert api.post(f"{address}/heartbeat", key=None).status_code == 200
    if egress:
        event = {
            "specversion": "1.0",
            "id": "egress-1",
            "source": "/clusters/zjk",
            "type": "exchange.meter.reading.v1",
            "data": {
                "lease": lease["id"],
                "meter": "egress_gb",
                "start": local(hours.stop - 1),
                "end": local(hours.stop),
                "quantity": egress,
            },
        }
        ok(api.post("/v1/usage-events", event, key=None, content_type="application/cloudevents+json"))
    assert ok(api.post(f"{address}/end", {"reason": "completed"}))["closed_at"] is not None
    return str(lease["id"])


def test_the_story_over_http(who: Members) -> None:
    clock.set_virtual(MIDNIGHT - timedelta(hours=39))
    for api, amount in ((who.beichen, "6000.00"), (who.lanting, "2000.00"), (who.qinghe, "1000.00")):
        top_up(who, api, amount)
    assert funds(who.beichen) == ("6000.00", "0.00", "6000.00")

    clock.set_virtual(MIDNIGHT - timedelta(hours=14))
    entered = enter(who)
    assert funds(who.beichen) == ("6000.00", "5138.88", "861.12")
    assert funds(who.lanting) == ("2000.00", "1695.83", "304.17")
    assert funds(who.qinghe) == ("1000.00", "925.00", "75.00")

    clock.set_virtual(MIDNIGHT - timedelta(hours=12))
    gates.close_due(now=clock.now())
    do_jobs()
    assert funds(who.beichen) == ("6000.00", "3905.55", "2094.45")
    assert funds(who.qinghe) == ("1000.00", "0.00", "1000.00")
    check_round(who, entered)

    lease = deliver(who.zhangbei, hours=range(8, 20), short={})
    assert lease.startswith("lse_")
    lease = deliver(who.huailai, hours=range(24), short={13: 12}, egress="125.5")
    check_delivery(who, lease)
    ticks.run_due(now=clock.now())
    do_jobs()
    check_documents(who)


def check_round(who: Members, entered: dict[str, str]) -> None:
    """Look at the round as a member who trusts nobody."""
    shown = only(who.qinghe.get("/v1/rounds", status="published"))
    assert (shown["welfare"], shown["degraded"], shown["late_seconds"]) == ("1872.000000", False, 0)
    address = f"/v1/rounds/{shown['id']}"
    book, outcome = ok(who.qinghe.get(f"{address}/book")), ok(who.qinghe.get(f"{address}/outcome"))
    assert list(ok(who.qinghe.get(f"{address}/own"))["own"].values()) == [entered["B3"]]
    assert not verify.verify(parsing.read_book(book), outcome).violations
    prices = ok(who.qinghe.get(f"{address}/prices"))["data"]
    traded = {(row["starts_at"], row["price"]) for row in prices if row["traded_quantity"] != "0"}
    assert traded == {
        ("2026-11-19T16:00:00Z", "9.000000"),
        ("2026-11-20T00:00:00Z", "10.000000"),
        ("2026-11-20T12:00:00Z", "9.000000"),
    }
    assert ok(who.qinghe.get(f"{address}/certificate"))["bound"] >= 1_872_000_000
    statuses = [
        ok(api.get(f"/v1/orders/{entered[name]}"))["status"]
        for name, api in (("B1", who.beichen), ("B2", who.lanting), ("B3", who.qinghe))
    ]
    assert statuses == ["filled", "filled", "unfilled"]
    mine = ok(who.beichen.get("/v1/trades"))["data"]
    assert {trade["order"] for trade in mine} == {entered["B1"]}
    assert {trade["offer"] for trade in mine} == {None}
    assert sum(int(trade["unit_hours"]) for trade in mine) == 384
    assert ok(who.qinghe.get("/v1/trades"))["data"] == []


def check_delivery(who: Members, lease: str) -> None:
    shown = ok(who.beichen.get(f"/v1/leases/{lease}"))
    assert (shown["contracted_quantity"], shown["delivered_quantity"]) == ("384.000", "380.000")
    segments = ok(who.beichen.get(f"/v1/leases/{lease}/segments"))
    assert segments["final"] is True
    assert [(s["starts_at"][11:16], s["quantity"], s["contracted"]) for s in segments["segments"]] == [
        ("16:00", "16", "16"),
        ("05:00", "12", "16"),
        ("06:00", "16", "16"),
    ]
    assert who.lanting.get(f"/v1/leases/{lease}").status_code == 404


def check_documents(who: Members) -> None:
    invoice = ok(who.beichen.get(f"/v1/invoices/{only(who.beichen.get('/v1/invoices'))['id']}"))
    assert [(line["quantity"], line["amount"]["amount"]) for line in invoice["lines"]] == [
        ("192", "1728.00"),
        ("188", "1880.00"),
        ("125.5", "62.75"),
        ("10", "-4.00"),
        ("1", "36.08"),
    ]
    totals = (invoice["net"]["amount"], invoice["tax"]["amount"], invoice["total"]["amount"], invoice["status"])
    assert totals == ("3702.83", "222.17", "3925.00", "paid")
    assert funds(who.beichen) == ("2075.00", "0.00", "2075.00")
    assert only(who.lanting.get("/v1/invoices"))["total"]["amount"] == "1541.66"
    assert funds(who.lanting) == ("458.34", "0.00", "458.34")
    assert ok(who.qinghe.get("/v1/invoices"))["data"] == []
    payable = {
        name: only(api.get("/v1/statements"))["total"]["amount"]
        for name, api in (("Huailai", who.huailai), ("Zhangbei", who.zhangbei))
    }
    assert payable == {"Huailai": "3731.12", "Zhangbei": "1465.34"}
    books = ok(who.finance.get("/v1/trial-balance"))
    assert books["balanced"] is True
