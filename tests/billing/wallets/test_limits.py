"""Budgets stop hard, credit takes two people, and warnings come once."""

from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from accounts.actors.actor import Actor, Capability
from accounts.events.models import Event
from accounts.foundation import ids
from billing.budgets.models import ProjectBudget
from billing.ledger import queries as books
from billing.ledger import services as ledger
from billing.ledger.errors import BudgetExhausted, InsufficientFunds
from billing.ledger.models import Account
from billing.ledger.rules import Capture
from billing.wallets import rules, services
from billing.wallets.errors import (
    BudgetBelowCommitted,
    ChangeDecided,
    ChangeWaits,
    CreditInUse,
    NoSuchProject,
    OwnChange,
)
from billing.wallets.models import CreditLimitChange
from billing.wallets.rules import ChangeStatus
from catalog.measures.money import Money
from tests.billing.ledger.books import NOW, Party, hold, invoice, party, top_up
from tests.billing.payments.cast import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def lab() -> Party:
    lab = party("Beichen AI Lab")
    top_up(lab, 10_000)
    return lab


@pytest.fixture
def principal(lab: Party) -> Actor:
    return person(lab, "principal", Capability.VIEW_BUYING, Capability.TRADE, Capability.MANAGE_MEMBERS)


@pytest.fixture
def clerk() -> Actor:
    return person(party("Operator"), "clerk", Capability.OPERATE_BOOKS, Capability.APPROVE_BOOKS)


@pytest.fixture
def approver() -> Actor:
    return person(party("Operator too"), "approver", Capability.APPROVE_BOOKS)


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


def budget(lab: Party) -> tuple[int, int, int, int]:
    row = ProjectBudget.objects.get(project_id=lab.project_id)
    return row.held_minor, row.captured_minor, row.extras_minor, row.overrun_minor


def test_a_budget_counts_what_was_committed_before_it_and_stops_what_would_exceed_it(
    lab: Party, principal: Actor
) -> None:
    hold(lab, 1_000)
    services.set_budget(principal, lab.project_id, cny(3_000), now=NOW)
    assert budget(lab) == (1_000, 0, 0, 0)
    hold(lab, 2_000)
    with pytest.raises(BudgetExhausted, match=r"0\.01 CNY is needed and the project's budget has 0\.00 CNY left"):
        hold(lab, 1)
    assert budget(lab) == (3_000, 0, 0, 0)
    assert books.funds(lab.id, "CNY").held_minor == 3_000


def test_what_is_released_may_be_committed_again_and_what_is_captured_may_not(lab: Party, principal: Actor) -> None:
    services.set_budget(principal, lab.project_id, cny(3_000), now=NOW)
    held = hold(lab, 3_000)
    with pytest.raises(BudgetExhausted):
        ledger.change_hold(held.id, by_minor=1, now=NOW)
    invoice(lab, 1_000, captures=(Capture(held.id, 1_000, 500),))
    assert budget(lab) == (1_500, 1_000, 0, 0)
    hold(lab, 500)
    with pytest.raises(BudgetExhausted):
        hold(lab, 1)
    ledger.change_hold(held.id, by_minor=-1_500, now=NOW)
    assert budget(lab) == (500, 1_000, 0, 0)


def test_another_project_has_its_own(lab: Party, principal: Actor) -> None:
    services.set_budget(principal, lab.project_id, cny(1), now=NOW)
    other = party("Lanting Robotics")
    top_up(other, 1_000)
    hold(other, 1_000)
    with pytest.raises(NoSuchProject):
        services.set_budget(principal, other.project_id, cny(5), now=NOW)


def test_a_budget_is_not_set_below_what_is_committed(lab: Party, principal: Actor) -> None:
    hold(lab, 1_000)
    with pytest.raises(BudgetBelowCommitted, match=r"9\.99 CNY was asked for and 10\.00 CNY is held"):
        services.set_budget(principal, lab.project_id, cny(999), now=NOW)
    services.set_budget(principal, lab.project_id, cny(1_000), now=NOW)
    services.set_budget(principal, lab.project_id, cny(2_000), now=NOW)
    assert ProjectBudget.objects.get().limit_minor == 2_000


def test_the_database_stops_too_and_keeps_the_sums(lab: Party, principal: Actor) -> None:
    services.set_budget(principal, lab.project_id, cny(1_000), now=NOW)
    row = ProjectBudget.objects.filter(project_id=lab.project_id)
    for change, name in (
        ({"limit_minor": -1}, "project_budget"),
        ({"extras_minor": 1_001}, "project_budget_never_overshot"),
        ({"held_minor": 1}, "move only with holds"),
    ):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            row.update(**change)


def test_credit_takes_a_second_person_and_widens_what_can_be_held(lab: Party, clerk: Actor, approver: Actor) -> None:
    change = services.propose_credit(clerk, lab.id, cny(5_000), reason="two good years", now=NOW)
    with pytest.raises(ChangeWaits):
        services.propose_credit(clerk, lab.id, cny(6_000), reason="more", now=NOW)
    with pytest.raises(OwnChange):
        services.decide_credit(clerk, change.id, is_approved=True, now=NOW)
    with pytest.raises(InsufficientFunds):
        hold(lab, 10_001)
    change = services.decide_credit(approver, change.id, is_approved=True, now=NOW)
    assert (change.status, books.funds(lab.id, "CNY").credit_limit_minor) == (ChangeStatus.APPROVED, 5_000)
    hold(lab, 15_000)
    with pytest.raises(ChangeDecided):
        services.decide_credit(approver, change.id, is_approved=False, now=NOW)
    lower = services.propose_credit(clerk, lab.id, cny(4_999), reason="less", now=NOW)
    with pytest.raises(CreditInUse, match=r"49\.99 CNY was proposed and 50\.00 CNY of credit is in use"):
        services.decide_credit(approver, lower.id, is_approved=True, now=NOW)
    assert services.decide_credit(approver, lower.id, is_approved=False, now=NOW).status == ChangeStatus.DECLINED


def test_the_database_wants_two_people_for_credit(lab: Party, clerk: Actor) -> None:
    change = services.propose_credit(clerk, lab.id, cny(1), reason="x", now=NOW)
    with pytest.raises(IntegrityError, match="credit_change_takes_two_people"), transaction.atomic():
        CreditLimitChange.objects.filter(id=change.id).update(
            status="approved", decided_by=change.proposed_by_id, decided_at=NOW
        )


def warnings() -> list[str]:
    return [event.payload["below"] for event in Event.objects.filter(type="wallet.low").order_by("id")]


def test_a_wallet_warns_once_at_each_threshold_and_again_after_it_was_filled(lab: Party, principal: Actor) -> None:
    services.set_thresholds(principal, [cny(5_000), cny(1_000)], now=NOW)
    assert services.watch(now=NOW) == 0
    hold(lab, 5_001)
    assert [services.watch(now=NOW), services.watch(now=NOW)] == [1, 0]
    hold(lab, 4_000)
    assert [services.watch(now=NOW), services.watch(now=NOW)] == [1, 0]
    assert warnings() == ["50.00", "10.00"]
    top_up(lab, 10_000)
    assert services.watch(now=NOW) == 0
    hold(lab, 10_000)
    assert services.watch(now=NOW + timedelta(hours=1)) == 2
    assert sorted(warnings()) == ["10.00", "10.00", "50.00", "50.00"]


def test_a_threshold_that_stays_does_not_warn_again(lab: Party, principal: Actor) -> None:
    services.set_thresholds(principal, [cny(20_000)], now=NOW)
    assert services.watch(now=NOW) == 1
    kept = services.set_thresholds(principal, [cny(20_000), cny(1)], now=NOW)
    assert [(row.below_minor, row.is_armed) for row in kept] == [(20_000, False), (1, True)]
    assert services.watch(now=NOW) == 0


def test_a_wallet_that_was_never_used_does_not_run_low() -> None:
    other = party("Nobody yet")
    actor = person(other, "nobody", Capability.TRADE)
    services.set_thresholds(actor, [cny(100)], now=NOW)
    assert services.watch(now=NOW) == 0
    assert not Account.objects.filter(organisation_id=other.id).exists()


@given(st.lists(st.integers(-10, 10), max_size=30), st.integers(-5, 5))
def test_between_two_warnings_there_was_always_enough(amounts: list[int], threshold: int) -> None:
    is_armed, warned_at = True, []
    for place, spendable in enumerate(amounts):
        does_fire, is_armed = rules.fires(spendable_minor=spendable, threshold_minor=threshold, is_armed=is_armed)
        assert not does_fire or spendable < threshold
        if does_fire:
            warned_at.append(place)
    for first, second in pairwise(warned_at):
        assert any(spendable >= threshold for spendable in amounts[first:second])
    assert bool(warned_at) == any(spendable < threshold for spendable in amounts)


def test_an_id_that_names_no_change_is_not_found(approver: Actor) -> None:
    from billing.wallets.errors import NoSuchChange

    with pytest.raises(NoSuchChange):
        services.decide_credit(approver, ids.new_id(), is_approved=True, now=NOW)
