"""Selling hours of a lease back: what is on offer, who may buy it, what changes hands and what is due of it after."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.events.models import Event
from accounts.foundation import clock, ids
from accounts.foundation.errors import DomainError, Forbidden
from accounts.organisations.rules import Role
from billing.contracts.errors import NothingToHandBack
from billing.contracts.models import Contract, ContractResale, ContractSlot
from billing.invoices import corrections
from billing.invoices import services as invoices
from billing.invoices.errors import ContractNotOver, PaidAnotherPrice
from billing.invoices.models import Invoice
from exchange.agents.plan import Behaviour, Shortfall
from exchange.auctions import gates
from exchange.capacity.models import CapacitySlot
from exchange.leases import pauses, queries, resales, returns, services, ticks
from exchange.leases.errors import LeaseNotFound, NothingToSellBack, ResaleInvalid
from exchange.leases.models import Lease
from exchange.leases.pauses import Window
from exchange.leases.rules import EndReason
from exchange.offers import queries as offers
from exchange.offers import services as offer_services
from exchange.offers.errors import OfferInRound, OfferInvalid, OfferNotFound, OwnOrderCouldMeet
from exchange.offers.models import Offer
from exchange.orders import services as orders
from exchange.orders.errors import OwnOfferCouldMeet
from exchange.rounds.errors import NoCancelPhase
from exchange.rounds.models import RoundSnapshot
from exchange.trades.models import Trade
from tests.accounts import cast as accounts_cast
from tests.catalog.cast import acting_for
from tests.exchange import cast
from tests.exchange.cast import GATE, HOUR, D, funds, yuan
from tests.exchange.leases.delivery import BOOKS, agent, at, billed, lines, part, violated
from tests.exchange.leases.reselling import (
    SECOND_GATE,
    Stage,
    order,
    resold,
    run_round,
    sell_back,
    serve,
    staged,
    taken,
)

Call = Callable[..., Any]


@pytest.fixture
def stage(story: cast.Story) -> Stage:
    return staged(story)


def contract_of(lease: Lease) -> Contract:
    return Contract.objects.get(id=lease.contract_id)


def withdraw_the_rest(stage: Stage) -> None:
    """Take the cards off the market that Huailai has not sold."""
    (rest,) = Offer.objects.filter(origin__isnull=True)
    offer_services.withdraw(stage.story.huailai, rest.id, now=clock.now())


def test_an_offer_states_the_commission_from_the_start_and_the_contract_keeps_it(stage: Stage) -> None:
    assert set(Offer.objects.values_list("resale_commission_ppm", flat=True)) == {40_000}
    assert set(ContractSlot.objects.values_list("resale_commission_ppm", flat=True)) == {40_000}
    offer = sell_back(stage, 4, 14, 17)
    assert offer.credits_ppm == (500_000, 200_000, 40_000), "as the contract states them"
    # Nobody but Lin is told, and nothing changes for the provider or for what is held.
    told = Event.objects.filter(subject_id=offer.id)
    assert set(told.values_list("organisation_id", flat=True)) == {stage.lin.organisation()}
    assert not offers.visible_to(stage.story.huailai).filter(id=offer.id).exists()
    with pytest.raises(OfferNotFound):
        offers.own(stage.story.huailai, offer.id)
    assert stage.owed() == [(8, 10, 20)]
    assert violated() == []


def test_what_is_on_offer_is_not_handed_back_paused_or_offered_again_until_it_is_withdrawn(stage: Stage) -> None:
    offer = sell_back(stage, 6, 14, 17)
    with pytest.raises(NothingToSellBack) as refused:
        sell_back(stage, 3, 16, 18)
    assert [(one.pointer, "at most 2, got 3" in one.detail) for one in refused.value.problems] == [("/quantity", True)]
    with pytest.raises(NothingToHandBack):
        returns.hand_back(stage.lin, stage.lease.id, part(3, 16, 18), now=clock.now())
    returns.hand_back(stage.lin, stage.lease.id, part(1, 14, 15), now=clock.now())
    pauses.pause(stage.lin, stage.lease.id, Window(D + 14 * HOUR, D + 18 * HOUR), now=clock.now())
    lease = Lease.objects.select_related("contract").get(id=stage.lease.id)
    assert [run.quantity for run in queries.pauses(lease)] == [1, 2, 8]
    assert queries.free(lease) == [part(8, 10, 14), part(8, 18, 20)]
    assert [run.quantity for run in queries.on_offer(stage.lin, lease)] == [6]
    assert queries.on_offer(stage.story.huailai, lease) == []
    assert violated() == []
    resales.withdraw(stage.lin, stage.lease.id, offer.id, now=clock.now())
    returns.hand_back(stage.lin, stage.lease.id, part(3, 16, 17), now=clock.now())
    assert violated() == []


@pytest.mark.parametrize(
    ("first", "last", "quantity", "error", "pointer"),
    [
        (9, 12, 1, ResaleInvalid, "/starts_at"),
        (18, 21, 1, ResaleInvalid, "/ends_at"),
        (12, 14, 1, OfferInvalid, "/starts_at"),
        (17, 16, 1, OfferInvalid, "/ends_at"),
        (14.5, 16, 1, OfferInvalid, "/starts_at"),
        (14, 16, 9, NothingToSellBack, "/quantity"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_field(
    stage: Stage, first: float, last: int, quantity: int, error: type[DomainError], pointer: str
) -> None:
    rectangle = part(quantity, 0, last)
    spec = resales.SellBack(
        type(rectangle)(quantity, D + timedelta(hours=first), rectangle.ends_at), cast.micros("5.00")
    )
    with pytest.raises(error) as refused:
        resales.sell_back(stage.lin, stage.lease.id, spec, now=at(GATE + HOUR))
    assert pointer in {problem.pointer for problem in refused.value.problems}


def test_only_its_buyer_sells_a_lease_back(stage: Stage) -> None:
    offer = sell_back(stage, 1, 14, 15)
    reader = cast.viewer(cast.organisation_of(stage.lin))
    for stranger, refusal in ((stage.mei, LeaseNotFound), (stage.story.huailai, Forbidden), (reader, Forbidden)):
        with pytest.raises(refusal):
            sell_back(stage, 1, 14, 15, actor=stranger)
        with pytest.raises(refusal):
            resales.withdraw(stranger, stage.lease.id, offer.id, now=clock.now())
    with pytest.raises(LeaseNotFound):
        queries.resales(agent(stage.story.huailai), stage.lease.id)


def test_it_is_withdrawn_until_the_no_cancel_phase_and_not_from_a_frozen_book(stage: Stage) -> None:
    offer = sell_back(stage, 4, 14, 17)
    at(SECOND_GATE - timedelta(minutes=5))
    gates.close_due(now=clock.now())
    with pytest.raises(NoCancelPhase):
        resales.withdraw(stage.lin, stage.lease.id, offer.id, now=clock.now())
    at(SECOND_GATE)
    gates.close_due(now=clock.now())
    with pytest.raises(OfferInRound):
        resales.withdraw(stage.lin, stage.lease.id, offer.id, now=clock.now())


def test_neither_seller_nor_provider_buys_it_and_the_book_does_not_name_the_seller(stage: Stage) -> None:
    at(GATE + HOUR)
    both = cast.organisation_of(stage.story.huailai)
    both.can_buy = True
    both.save(update_fields=["can_buy"])
    cast.fund(both, "500")
    huailai = acting_for(both, cast.BUYING | cast.SELLING)
    offer = sell_back(stage, 4, 14, 17)
    with pytest.raises(OwnOfferCouldMeet):
        order(stage.lin, cast.hourly(stage.story, "7.00", quantity_max=4, first=14, last=17))
    window = {"quantity_max": 4, "first": 15, "last": 16}
    resales.withdraw(stage.lin, stage.lease.id, offer.id, now=clock.now())
    early = order(stage.lin, cast.hourly(stage.story, "7.00", **window))
    with pytest.raises(OwnOrderCouldMeet):
        sell_back(stage, 4, 14, 17)
    orders.cancel(stage.lin, early.id, now=clock.now())
    offer = sell_back(stage, 4, 14, 17)
    withdraw_the_rest(stage)
    own = order(huailai, cast.hourly(stage.story, "7.50", **window))
    order(stage.mei, cast.hourly(stage.story, "7.00", **window))
    held = run_round(stage.story, SECOND_GATE)
    assert [trade.buyer_id for trade in Trade.objects.filter(offer=offer)] == [stage.mei.organisation()]
    snapshot = RoundSnapshot.objects.get(round=held)
    assert snapshot.left_out[ids.spell("ord", own.id)] == "could_meet_an_earlier_one_of_its_own_organisation"
    assert ids.spell("org", stage.lin.organisation()) not in snapshot.text


def test_hours_that_a_round_sold_are_another_lease_of_the_same_provider(stage: Stage) -> None:
    before = funds(stage.lin)
    hers = resold(stage)
    assert (hers.provider_id, hers.offering_id) == (stage.lease.provider_id, stage.lease.offering_id)
    assert stage.owed() == [(8, 10, 14), (4, 14, 17), (8, 17, 20)]
    assert queries.contracted_unit_hours(queries.get(stage.lin, stage.lease.id)) == 68
    sold = CapacitySlot.objects.filter(offering=hers.offering, starts_at__gte=D + 14 * HOUR).order_by("starts_at")
    assert [(row.sold, row.offered) for row in sold][:4] == [(8, 8)] * 4, "no unit more than before"
    assert funds(stage.lin) == before, "what was held stays held"
    told = Event.objects.filter(type__in=["lease.resold", "contract.resold"])
    assert {event.organisation_id for event in told} == {stage.lin.organisation(), stage.lease.provider_id}
    # The provider is told of its trade, and not from which offer.
    trade = Trade.objects.get(buyer_id=stage.mei.organisation())
    said = {event.organisation_id: event.payload for event in Event.objects.filter(subject_id=trade.id)}
    assert "offer" not in said[stage.lease.provider_id]
    assert Offer.objects.get(id=trade.offer_id).status == "sold"
    assert violated() == []


def test_a_lease_sold_back_whole_before_it_begins_is_over(story: cast.Story) -> None:
    again = cast.make_market(story.operator, "hourly", gate_interval_seconds=3600, gate_offset_seconds=0)
    stage = staged(cast.Story(**{**vars(story), "market": again}))
    at(GATE + HOUR / 4)
    sell_back(stage, 8, 10, 20)
    order(stage.mei, cast.hourly(stage.story, "7.00", quantity_max=8, first=10, last=20))
    run_round(stage.story, GATE + HOUR)
    lease = Lease.objects.get(id=stage.lease.id)
    assert (lease.status, lease.end_reason, stage.owed()) == ("replaced", "resold", [])
    hers = taken(stage)
    serve(9, 22)
    assert {contract_of(lease).status, contract_of(hers).status} == {"ended"}
    of_lin = invoices.invoice_contract(BOOKS, lease.contract_id, now=clock.now())
    assert of_lin is not None
    assert lines(of_lin) == [("resold", yuan("640.00")), ("resale", -80 * yuan("6.00") * 96 // 100)]
    assert invoices.issue_statement(BOOKS, lease.contract_id, now=clock.now()) is None
    assert contract_of(lease).status == "settled"
    assert violated() == []


def due_after(stage: Stage, hers: Lease) -> tuple[list[tuple[str, int]], list[tuple[str, int]], list[tuple[str, int]]]:
    """Deliver to the end; return the lines of Lin's invoice, of Mei's, and of the provider's statement for Mei's."""
    at(D + 26 * HOUR)
    of_lin, _ = billed(contract_of(stage.lease))
    meis, statement = billed(contract_of(hers))
    assert violated() == []
    return lines(of_lin), lines(meis), lines(statement)


def test_what_was_not_delivered_is_due_to_nobody_and_the_new_buyer_has_the_service_credit(stage: Stage) -> None:
    hers = resold(stage)
    missing = Shortfall(D + 15 * HOUR, D + 17 * HOUR, 1)
    serve(12, 22, {hers: Behaviour(shortfalls=(missing,), readings=(), step=HOUR)})
    of_lin, meis, statement = due_after(stage, hers)
    # 4 + 1 + 1 card-hours of 12 were there: at 6.00 for Mei, at 8.00 for Lin and the provider.
    assert meis == [("capacity", yuan("36.00")), ("sla_credit", -yuan("3.60")), ("fee", yuan("0.36"))]
    assert of_lin[1:3] == [("resold", yuan("48.00")), ("resale", -yuan("34.56"))]
    assert statement == [("capacity", yuan("48.00")), ("sla_credit", -yuan("3.60")), ("commission", -yuan("1.92"))]


def test_what_the_new_buyer_hands_back_and_pauses_is_due_in_the_same_share_everywhere(stage: Stage) -> None:
    hers = resold(stage, price_limit="11.00", reserve="7.00")  # the next offer is at 8.00: 7.50 is the price
    returns.hand_back(stage.mei, hers.id, part(2, 14, 16), now=at(SECOND_GATE + HOUR / 4))
    pauses.pause(stage.mei, hers.id, Window(D + 16 * HOUR, D + 17 * HOUR), now=clock.now())
    assert [row.sold for row in CapacitySlot.objects.filter(starts_at=D + 14 * HOUR, offering=hers.offering)] == [6]
    serve(13, 22)
    of_lin, meis, statement = due_after(stage, hers)
    # 4 delivered, 4 handed back at half, 4 paused at four fifths.
    assert meis == [
        ("capacity", yuan("30.00")),
        ("returned", yuan("15.00")),
        ("paused", yuan("24.00")),
        ("fee", yuan("0.30")),
    ]
    assert statement == [
        ("capacity", yuan("32.00")),
        ("returned", yuan("16.00")),
        ("paused", yuan("25.60")),
        ("commission", -yuan("1.28")),
    ]
    due = {amount for kind, amount in of_lin if kind == "resold"}
    assert due == {yuan("32.00"), yuan("16.00"), yuan("25.60")}
    # 96 % of 30.00 + 15.00 + 24.00.
    assert sum(amount for kind, amount in of_lin if kind == "resale") == -yuan("66.24")


def test_a_price_above_the_first_one_turns_the_bill(stage: Stage) -> None:
    story = stage.story
    at(GATE + HOUR)
    withdraw_the_rest(stage)
    sell_back(stage, 8, 13, 20, "10.00")
    order(stage.mei, cast.hourly(story, "10.00", quantity_max=1, first=13, last=20))
    serve(-1, 12)
    run_round(story, SECOND_GATE)
    hers = taken(stage)
    assert stage.owed(hers) == [(1, 13, 20)]
    resale = ContractResale.objects.get()
    run = ContractSlot.objects.get(id=resale.sold_as_id)
    assert (run.price_micros, run.provider_price_micros) == (cast.micros("10.00"), cast.micros("8.00"))
    serve(12, 22)
    of_lin, meis, statement = due_after(stage, hers)
    assert meis == [("capacity", yuan("70.00")), ("fee", yuan("0.70"))]
    assert of_lin[1:3] == [("resold", yuan("56.00")), ("resale", -yuan("67.20"))]
    assert statement == [("capacity", yuan("56.00")), ("commission", -yuan("2.24"))]
    # The provider is paid another price than Mei pays: a note takes back hers alone.
    bill = Invoice.objects.get(contract_id=hers.contract_id, side="customer")
    with pytest.raises(PaidAnotherPrice):
        corrections.credit_invoice(BOOKS, bill.id, reason="Slow", now=clock.now(), provider_bears_it=True)
    assert corrections.credit_invoice(BOOKS, bill.id, reason="Slow", now=clock.now()).total_minor == -bill.total_minor
    assert violated() == []


def test_a_failed_provider_takes_hours_off_the_market_and_a_frozen_book_keeps_them(stage: Stage) -> None:
    offer = sell_back(stage, 4, 14, 17)
    serve(-1, 12)
    services.end(
        agent(stage.story.huailai), stage.lease.id, reason=EndReason.PROVIDER_FAILURE, now=at(SECOND_GATE - HOUR)
    )
    offer.refresh_from_db()
    assert (offer.status, offer.open_unit_hours) == ("withdrawn", 0)
    assert violated() == []


def test_a_lease_that_fails_between_gate_and_trades_is_sold_and_whoever_bought_is_paid_what_is_not_delivered(
    stage: Stage,
) -> None:
    at(GATE + HOUR)
    sell_back(stage, 4, 14, 17)
    order(stage.mei, cast.hourly(stage.story, "7.00", quantity_max=4, first=14, last=17))
    serve(-1, 12)
    at(SECOND_GATE)
    gates.close_due(now=SECOND_GATE)
    services.end(agent(stage.story.huailai), stage.lease.id, reason=EndReason.PROVIDER_FAILURE, now=SECOND_GATE)
    run_round(stage.story, SECOND_GATE)
    hers = taken(stage)
    stage.lease.provider.simulated_agent = False
    stage.lease.provider.save(update_fields=["simulated_agent"])
    ticks.run_due(now=at(D + 25 * HOUR))
    of_lin, meis, statement = due_after(stage, hers)
    assert ("resold" in dict(of_lin), "resale" in dict(of_lin)) == (False, False)
    assert meis == statement == [("sla_credit", -yuan("7.20"))]


def test_the_first_contract_is_billed_when_the_new_one_is_over_and_not_before(stage: Stage) -> None:
    hers = resold(stage)
    serve(12, 18)
    # Mei's lease is over at 17 and its reports are closed; Lin's runs on until 20.
    assert contract_of(hers).status == "ended"
    invoice = invoices.invoice_on_demand(stage.lin, stage.lease.contract_id, now=clock.now())
    assert {"resold", "resale"} <= set(dict(lines(invoice)))
    assert funds(stage.lin)[1] > 0
    returns.hand_back(stage.lin, stage.lease.id, part(8, 19, 20), now=clock.now())
    serve(18, 22)
    assert contract_of(stage.lease).status == "ended"
    of_lin, _ = billed(contract_of(stage.lease))
    assert "resold" not in dict(lines(of_lin))
    assert funds(stage.lin)[1] == 0
    assert violated() == []


def test_a_contract_waits_for_the_one_that_took_its_last_hours(stage: Stage) -> None:
    at(GATE + HOUR)
    sell_back(stage, 8, 14, 20)
    order(stage.mei, cast.hourly(stage.story, "7.00", quantity_max=8, first=14, last=20))
    serve(-1, 12)
    run_round(stage.story, SECOND_GATE)
    assert stage.owed() == [(8, 10, 14)]
    serve(12, 16)
    lease = Lease.objects.get(id=stage.lease.id)
    assert (lease.status, lease.closed_at is not None) == ("ended", True)
    assert contract_of(lease).status == "active", "Mei's hours are still due here"
    with pytest.raises(ContractNotOver):
        invoices.invoice_contract(BOOKS, lease.contract_id, now=clock.now())
    serve(16, 22)
    assert contract_of(lease).status == "ended"
    of_lin, _, _ = due_after(stage, taken(stage))
    assert of_lin[1:3] == [("resold", 48 * yuan("8.00")), ("resale", -48 * yuan("6.00") * 96 // 100)]


def test_a_round_given_up_has_sold_nothing(stage: Stage) -> None:
    at(GATE + HOUR)
    offer = sell_back(stage, 4, 14, 17)
    order(stage.mei, cast.hourly(stage.story, "7.00", quantity_max=4, first=14, last=17))
    at(SECOND_GATE)
    (round_id,) = gates.close_due(now=SECOND_GATE)
    cast.give_up(round_id, now=SECOND_GATE)
    offer.refresh_from_db()
    assert (offer.status, offer.locked_at, ContractResale.objects.count()) == ("open", None, 0)
    assert stage.owed() == [(8, 10, 20)]
    assert violated() == []


def test_the_database_refuses_what_was_not_agreed(stage: Stage) -> None:
    resold(stage)
    row = ContractResale.objects.get()
    wrong = ContractResale(
        contract_id=row.contract_id,
        slot_id=row.slot_id,
        sold_as_id=row.slot_id,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        quantity=1,
        price_micros=row.price_micros,
        commission_ppm=row.commission_ppm,
        created_at=row.created_at,
    )
    with pytest.raises(IntegrityError, match="not what both contracts say"), transaction.atomic():
        wrong.save(force_insert=True)
    offer = Offer.objects.get(origin__isnull=False)
    with pytest.raises(IntegrityError, match="not of hours of the contract"), transaction.atomic():
        Offer.objects.filter(id=offer.id).update(origin=None)
    other = Offer.objects.filter(origin__isnull=True).first()
    assert other is not None
    with pytest.raises(IntegrityError, match="not of hours of the contract"), transaction.atomic():
        Offer.objects.filter(id=other.id).update(origin_id=row.contract_id)


def test_hours_are_sold_back_over_http_and_on_the_page_of_their_lease(call: Call, stage: Stage) -> None:
    path = f"/v1/leases/{ids.spell('lse', stage.lease.id)}"
    body = {
        "quantity": 4,
        "starts_at": (D + 14 * HOUR).isoformat(),
        "ends_at": (D + 17 * HOUR).isoformat(),
        "reserve_price": "5.00",
    }
    made = call(stage.lin, "post", f"{path}/resales", body)
    assert made.status_code == 201
    shown = made.json()
    assert (shown["status"], shown["reserve_price"], shown["commission_ppm"]) == ("open", "5.000000", 40_000)
    assert (shown["open_unit_hours"], shown["sold"]) == (12, [])
    one = f"{path}/resales/{shown['id']}"
    assert call(stage.lin, "get", one).json() == shown
    assert call(stage.lin, "get", f"{path}/resales").json()["data"] == [shown]
    schedule = call(stage.lin, "get", f"{path}/schedule").json()
    assert (schedule["resale_commissions_ppm"], [run["quantity"] for run in schedule["offered"]]) == ([40_000], ["4"])
    assert call(stage.lin, "post", f"{path}/resales", body | {"quantity": 5}).json()["code"] == "nothing_to_sell_back"
    assert call(stage.mei, "get", one).status_code == 404
    assert call(stage.lin, "post", f"{one}/withdraw").json()["status"] == "withdrawn"
    client = Client()
    client.force_login(accounts_cast.member(cast.organisation_of(stage.lin), "trader", Role.BUYER_TRADER))
    page = f"/leases/{ids.spell('lse', stage.lease.id)}"
    assert "Sell hours back" in client.get(page).content.decode()
    typed = {"quantity": "4", "starts_at": "2026-05-03T14:00", "ends_at": "2026-05-03T17:00", "reserve_price": "5"}
    assert client.post(f"{page}/resell", typed).status_code == 302
    refused = client.post(f"{page}/resell", typed | {"quantity": "5"})
    assert (refused.status_code, "expected at most 4, got 5" in refused.content.decode()) == (422, True)
    offer = Offer.objects.get(origin__isnull=False, closed_at__isnull=True)
    assert client.post(f"{page}/resales/{ids.spell('off', offer.id)}/withdraw").status_code == 302
    at(GATE + HOUR)
    resold(stage)
    contract = call(stage.lin, "get", f"/v1/contracts/{ids.spell('ctr', stage.lease.contract_id)}").json()
    (resale,) = contract["resales"]
    assert (resale["quantity"], resale["price"], resale["commission_ppm"]) == (4, "6.000000", 40_000)
    hers = ids.spell("ctr", taken(stage).contract_id)
    assert call(stage.mei, "get", f"/v1/contracts/{hers}").json()["slots"][0]["provider_price"] is None
    assert call(stage.story.huailai, "get", f"/v1/contracts/{hers}").json()["slots"][0]["provider_price"] == "8.000000"
    assert "6.00" in client.get(page).content.decode()
