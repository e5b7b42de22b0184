"""Safety bounds: what is beyond them parks the account, the others are billed, and finance lets it go on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.actors.actor import Actor, Capability
from accounts.actors.errors import NotAllowed
from accounts.events.models import Event
from accounts.foundation import clock, ids
from accounts.jobs.models import Job
from accounts.organisations.rules import Role
from billing.bounds import rules, services
from billing.bounds.errors import (
    AccountParked,
    AlreadyReleased,
    NoSuchParking,
    OwnRelease,
)
from billing.bounds.models import BillBound, BilledDay, Parking
from billing.bounds.rules import Bound, Drawn, Limits
from billing.contracts import services as contracts
from billing.contracts.models import Contract
from billing.invoices import services as invoices
from billing.invoices import tasks
from billing.invoices.models import Invoice
from billing.usage.models import MeteringPoint
from config.audit.checks import ALL
from tests.accounts import cast as people
from tests.api.caller import Api, pointers
from tests.billing import delivery
from tests.billing.delivery import AFTER, PLACED, SYSTEM, Stage

LIMITS = Limits(
    line_minor=10**8,
    total_minor=10**9,
    lines_per_day=1_000,
    usual_multiple=10,
    usual_from_minor=10**7,
    two_people_above_minor=10**8,
)
UNTIL = delivery.at(6)


@given(st.lists(st.integers(-(10**9), 10**9), max_size=6), st.integers(-(10**10), 10**10))
def test_a_bill_within_every_bound_breaches_none_and_one_coin_more_breaches_each(lines: list[int], total: int) -> None:
    drawn = Drawn.of(lines, total)
    fits = Limits(
        line_minor=max(1, drawn.largest_line_minor),
        total_minor=max(1, drawn.total_minor),
        lines_per_day=5 + drawn.lines,
        usual_multiple=3,
        usual_from_minor=0,
        two_people_above_minor=0,
    )
    usual_minor = -(-drawn.total_minor // 3)
    assert rules.breaches(drawn, fits, lines_today=5, usual_minor=usual_minor) == ()

    more = Drawn(fits.line_minor + 1, max(fits.total_minor, 3 * usual_minor) + 1, drawn.lines + 1)
    found = {one.bound for one in rules.breaches(more, fits, lines_today=5, usual_minor=usual_minor)}
    assert found == set(Bound) - ({Bound.USUAL} if usual_minor == 0 else set())


def test_a_party_without_history_has_no_usual_month_and_small_bills_are_not_compared_with_it() -> None:
    huge = Drawn(1, LIMITS.usual_from_minor + 1, 1)
    assert rules.breaches(huge, LIMITS, lines_today=0, usual_minor=0) == ()
    assert rules.breaches(Drawn(1, LIMITS.usual_from_minor, 1), LIMITS, lines_today=0, usual_minor=1) == ()
    (breach,) = rules.breaches(huge, LIMITS, lines_today=0, usual_minor=1)
    assert (breach.bound, breach.seen, breach.limit) == (Bound.USUAL, 10_000_001, 10_000_000)
    assert rules.usual_month(90_00, trailing_days=90) == 30_00
    assert rules.usual_month(90_00, trailing_days=30) == 90_00


@pytest.fixture
def stage(db: None) -> Stage:
    stage = delivery.stage()
    delivery.fund(stage.buyer, 900_000)
    return stage


def person(stage: Stage, name: str, *capabilities: Capability) -> Actor:
    user = people.member(stage.exchange, name, Role.FINANCE_OPERATOR)
    return Actor(stage.exchange.id, user.id, None, frozenset(capabilities), name)


def bound(stage: Stage, **limits: int) -> None:
    """Set bounds of the stage's buyer, half an hour before its day is billed."""
    given = {name: getattr(LIMITS, name) for name in LIMITS.__slots__} | limits
    BillBound.objects.create(organisation=stage.buyer, currency="CNY", effective_from=PLACED, set_by="a test", **given)


def running(stage: Stage, name: str, units: int = 4) -> Contract:
    contract = delivery.contract(stage, [delivery.slot(stage, 0, 10, units, 10_000_000)])
    metered = delivery.point(contract, stage.offering)
    delivery.report(stage, [delivery.segment(metered, f"{name}-1", 0, 6, units)])
    return contract


def run(*contract_ids: Any) -> int:
    return invoices.invoice_months(SYSTEM, sorted(contract_ids), until=UNTIL, now=AFTER)


def unsound() -> list[str]:
    with connection.cursor() as cursor:
        return [one.code for one in ALL if one.code[0] in "IU" and one.check(cursor).violations]


def test_a_bill_beyond_its_bounds_parks_its_party_and_the_run_goes_on_with_others(stage: Stage) -> None:
    bound(stage, total_minor=200_00)
    other = delivery.another("Other DC", "Lanting Robotics", stage)
    delivery.fund(other.buyer, 100_000)
    small, huge, later, foreign = (
        running(stage, "a", 1),
        running(stage, "b"),
        running(stage, "c", 1),
        running(other, "d"),
    )

    assert run(small.id, huge.id, later.id, foreign.id) == 2

    assert set(Invoice.objects.values_list("contract", flat=True)) == {small.id, foreign.id}
    parking = Parking.objects.get()
    assert (parking.organisation_id, parking.contract_id) == (stage.buyer.id, huge.id)
    assert [(one["bound"], one["limit"]) for one in parking.breaches] == [(Bound.TOTAL, 200_00)]
    (alarm,) = Event.objects.filter(type="account.parked")
    assert alarm.organisation_id is None
    assert alarm.payload["breaches"] == [f"document_total: {parking.total_minor}, expected at most 20000"]
    huge.refresh_from_db()
    assert huge.held_minor > 0
    assert run(small.id, huge.id, later.id) == 0
    assert Parking.objects.count() == 1
    with pytest.raises(AccountParked):
        invoices.invoice_on_demand(stage.trader, later.id, now=AFTER)
    assert unsound() == []


def test_an_invoice_on_demand_beyond_the_bounds_parks_its_account_and_alarms(stage: Stage) -> None:
    bound(stage, line_minor=100_00)
    contract = running(stage, "a")
    trader = Api.signed_in(people.member(stage.buyer, "trader", Role.BUYER_TRADER))
    path = f"/v1/contracts/{ids.spell('ctr', contract.id)}/invoice"

    with clock.travel(AFTER):
        answers = [trader.post(path, {}, key=key) for key in ("first", "first", "second")]

    assert [answer.status_code for answer in answers] == [409] * 3
    assert {answer.json()["code"] for answer in answers} == {"account_parked"}
    assert Parking.objects.get().contract_id == contract.id
    assert Event.objects.filter(type="account.parked", organisation=None).count() == 1
    assert not Invoice.objects.exists()
    assert unsound() == []


def test_a_bill_beyond_what_an_amount_can_be_parks_its_account_and_is_never_issued(stage: Stage) -> None:
    bound(stage, two_people_above_minor=2**62)
    contract = running(stage, "a")
    metered = MeteringPoint.objects.get(contract=contract)
    delivery.report(stage, [delivery.reading(metered, f"r{n}", 0, 1, "9" * 15) for n in range(200)])
    clerk = person(stage, "clerk", Capability.OPERATE_BOOKS)

    for hours in (0, 1):
        now = AFTER + timedelta(hours=hours)
        with pytest.raises(AccountParked):
            invoices.invoice_on_demand(stage.trader, contract.id, now=now)
        parking = Parking.objects.get(released_at=None)
        assert parking.total_minor == 2**63 - 1
        assert parking.breaches[0]["seen"] > 2**63
        services.release(clerk, parking.id, reason="Let us see", now=now) if hours == 0 else None
    assert not Invoice.objects.exists()
    assert unsound() == []


def test_a_contract_that_is_over_keeps_its_hold_while_its_buyer_is_parked_and_is_billed_after_release(
    stage: Stage,
) -> None:
    bound(stage, line_minor=100_00, two_people_above_minor=1)
    contract = running(stage, "a")
    contracts.end(SYSTEM, contract.id, now=AFTER)
    clerk = person(stage, "clerk", Capability.OPERATE_BOOKS)
    approver = person(stage, "approver", Capability.APPROVE_BOOKS)

    assert invoices.invoice_contract(SYSTEM, contract.id, now=AFTER) is None
    assert invoices.invoice_contract(SYSTEM, contract.id, now=AFTER) is None
    contract.refresh_from_db()
    assert (contract.status, contract.held_minor > 0) == ("ended", True)
    parking = Parking.objects.get()

    with pytest.raises(NotAllowed):
        services.release(stage.trader, parking.id, reason="x", now=AFTER)
    asked = services.release(clerk, parking.id, reason="A large training run", now=AFTER)
    assert asked.is_open
    with pytest.raises(OwnRelease):
        services.release(clerk, parking.id, reason="x", now=AFTER)
    later = AFTER + timedelta(hours=1)
    assert not services.release(approver, parking.id, reason="Agreed", now=later).is_open
    with pytest.raises(AlreadyReleased):
        services.release(approver, parking.id, reason="x", now=later)
    with pytest.raises(NoSuchParking):
        services.release(approver, ids.new_id(), reason="x", now=later)

    job = Job.objects.get(kind=services.INVOICE_WAITING)
    with clock.travel(later):
        for _ in range(2):
            tasks.invoice_waiting(job.key, job.payload, renew=lambda: None)
    (invoice,) = Invoice.objects.filter(side="customer")
    assert invoice.contract_id == contract.id
    contract.refresh_from_db()
    assert contract.held_minor == 0
    assert unsound() == []


def test_below_the_threshold_one_person_releases_and_a_larger_bill_parks_again(stage: Stage) -> None:
    bound(stage, total_minor=300_00)
    contract = running(stage, "a", 6)
    run(contract.id)
    clerk = person(stage, "clerk", Capability.OPERATE_BOOKS)
    assert not services.release(clerk, Parking.objects.get().id, reason="Known", now=AFTER).is_open

    metered = MeteringPoint.objects.get(contract=contract)
    with transaction.atomic():
        assert run(contract.id) == 1
        transaction.set_rollback(True)
    delivery.report(stage, [delivery.reading(metered, "a-more", 1, 2, "1")])
    assert run(contract.id) == 0
    assert Parking.objects.filter(released_at=None).count() == 1


def test_the_lines_of_a_day_are_counted_over_all_bills_of_a_party(stage: Stage) -> None:
    bound(stage, lines_per_day=4)
    contract_ids = [running(stage, name, 1).id for name in "abc"]

    assert run(*contract_ids) == 2

    day = BilledDay.objects.get(side="customer", organisation=stage.buyer)
    assert day.lines == 4
    assert Parking.objects.get().breaches == [{"bound": "lines_of_a_day", "seen": 6, "limit": 4}]
    assert unsound() == []


def test_the_database_bills_nobody_who_is_parked_and_lets_nobody_release_alone(stage: Stage) -> None:
    contract = running(stage, "a")
    assert run(contract.id) == 1

    def refused(statement: str) -> str:
        with pytest.raises(IntegrityError) as error, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
        return str(error.value)

    Parking.objects.create(
        organisation=stage.buyer,
        side="customer",
        contract=contract,
        currency="CNY",
        total_minor=1,
        lines=1,
        breaches=[],
        takes_two=True,
        parked_at=PLACED,
    )
    columns = (
        "contract_id, organisation_id, series, currency, period_start, period_end, cutoff_at, net_minor, tax_minor,"
        " total_minor, rounding, seller, buyer, created_at, synthetic, credited_minor, written_off_minor, kind, side,"
        " correction_reason"
    )
    assert "while it is parked" in refused(
        f"""
        INSERT INTO billing_invoice (id, {columns}, reason, paid_minor, contract_n, status, number, digest)
        SELECT gen_random_uuid(), {columns}, 'on_demand', 0, 9, 'draft', '', '' FROM billing_invoice;
        UPDATE billing_invoice SET status = 'issued', year = 2026, n = 2, number = 'INV-2026-000002',
            issued_at = created_at, digest = repeat('0', 64) WHERE contract_n = 9;
        """
    )
    clerk = people.member(stage.exchange, "clerk", Role.FINANCE_OPERATOR)
    alone = f"asked_by_id = '{clerk.id}', released_by_id = '{clerk.id}', reason = 'x'"
    assert "parking_release_takes_two" in refused(
        f"UPDATE billing_parking SET {alone}, asked_at = parked_at, released_at = parked_at"
    )
    assert "never changed" in refused("DELETE FROM billing_parking")


@pytest.mark.parametrize(("trailing_days", "is_usual"), [(90, False), (30, True)])
def test_the_usual_month_is_of_as_many_days_as_the_bounds_say(stage: Stage, trailing_days: int, is_usual: bool) -> None:
    bound(stage, usual_multiple=1, usual_from_minor=0, trailing_days=trailing_days)
    assert run(running(stage, "a", 1).id) == 1
    # The same once more: three times the usual month of 90 days, and just that of 30.
    assert run(running(stage, "b", 1).id) == int(is_usual)
    assert Parking.objects.exists() != is_usual


def test_finance_sees_and_releases_parked_accounts_over_http_and_on_a_page(stage: Stage) -> None:
    bound(stage, total_minor=300_00)
    run(running(stage, "a", 6).id)
    clerk = Api.signed_in(people.member(stage.exchange, "clerk", Role.FINANCE_OPERATOR))
    buyer = Api.signed_in(people.member(stage.buyer, "buyer", Role.BUYER_TRADER))

    assert buyer.get("/v1/parked-accounts").status_code == 403
    (row,) = clerk.get("/v1/parked-accounts").json()["data"]
    assert row["organisation"] == ids.spell("org", stage.buyer.id)
    assert row["breaches"] == [{"bound": "document_total", "seen": "385.42 CNY", "limit": "300.00 CNY"}]
    bounds = clerk.get("/v1/bill-bounds", organisation=ids.spell("org", stage.buyer.id)).json()["data"]
    assert [one["total"]["amount"] for one in bounds] == ["300.00"]
    path = f"/v1/parked-accounts/{row['id']}"
    wrong = clerk.post(f"{path}/release", {})
    assert (wrong.status_code, pointers(wrong)) == (400, ["#/reason"])
    assert clerk.get(path).json() == row

    page = Client()
    page.force_login(people.member(stage.exchange, "colleague", Role.FINANCE_OPERATOR))
    shown = page.get("/finance/parked-accounts").content.decode()
    assert stage.buyer.name in shown
    assert "385.42 CNY, expected at most 300.00 CNY" in shown
    assert "Parked accounts: not billed" in page.get("/").content.decode()
    spelled = f"/finance/parked-accounts/{row['id']}/release"
    assert "Say why" in page.post(spelled, {"reason": " "}, follow=True).content.decode()
    assert "Released" in page.post(spelled, {"reason": "Known"}, follow=True).content.decode()
    again = clerk.post(f"{path}/release", {"reason": "Known"})
    assert (again.status_code, again.json()["code"]) == (409, "already_released")
