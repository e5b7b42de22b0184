"""A wallet that ran out has its grace, is stopped, and lets go; a top-up ends it at any stage."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.audit.models import AuditRecord
from accounts.events.models import Event
from billing.landings import rules, services
from billing.landings.errors import WalletStopped
from billing.landings.models import LandingPolicy, WalletLanding
from billing.landings.rules import Stage
from billing.ledger.errors import InsufficientFunds
from tests.billing.ledger.books import NOW, Party, hold, invoice, party, top_up

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def lab() -> Party:
    """A lab whose extras took its wallet 5.00 below zero."""
    lab = party("Beichen AI Lab")
    top_up(lab, 1_000)
    invoice(lab, 1_500, extras_minor=500)
    return lab


def landing(lab: Party) -> WalletLanding:
    return WalletLanding.objects.filter(organisation_id=lab.id).latest("id")


def stages(lab: Party) -> list[str]:
    told = Event.objects.filter(organisation_id=lab.id, type__startswith="wallet.").order_by("id")
    return [event.type for event in told]


def test_each_stage_has_its_time_and_is_told_and_recorded(lab: Party) -> None:
    assert services.watch(now=NOW) == 1
    row = landing(lab)
    assert (row.status, row.stops_at, row.releases_at) == ("grace", NOW + 72 * HOUR, NOW + 120 * HOUR)
    assert services.watch(now=NOW + 72 * HOUR - timedelta(seconds=1)) == 0
    assert services.watch(now=NOW + 72 * HOUR) == 1
    assert services.watch(now=NOW + 72 * HOUR) == 0
    assert landing(lab).status == "stopped"
    assert services.watch(now=NOW + 120 * HOUR) == 1
    assert services.watch(now=NOW + 900 * HOUR) == 0
    assert landing(lab).status == "releasing"
    assert stages(lab) == ["wallet.grace", "wallet.stopped", "wallet.releasing"]
    assert Event.objects.filter(type="wallet.stopped").get().payload["missing"] == "5.00"
    recorded = AuditRecord.objects.filter(subject_type="wallet_landing").order_by("id")
    assert [record.action.rpartition(".")[2] for record in recorded] == ["grace", "stopped", "releasing"]


def test_whoever_is_stopped_late_keeps_the_whole_notice(lab: Party) -> None:
    services.watch(now=NOW)
    services.watch(now=NOW + 500 * HOUR)
    assert landing(lab).status == "stopped"
    assert landing(lab).releases_at == NOW + 548 * HOUR


@pytest.mark.parametrize("hours", [[], [72], [72, 120]])
def test_a_top_up_ends_it_at_every_stage_and_the_next_time_begins_anew(lab: Party, hours: list[int]) -> None:
    services.watch(now=NOW)
    for hour in hours:
        services.watch(now=NOW + hour * HOUR)
    top_up(lab, 499)
    assert services.watch(now=NOW + 121 * HOUR) == (len(hours) < 2)  # not enough: it goes on when it is due
    top_up(lab, 1)
    assert services.watch(now=NOW + 122 * HOUR) == 1
    assert landing(lab).status == "lifted"
    assert services.watch(now=NOW + 123 * HOUR) == 0
    invoice(lab, 1, extras_minor=1)
    services.watch(now=NOW + 124 * HOUR)
    assert landing(lab).status == "grace"
    assert WalletLanding.objects.count() == 2


def test_a_stopped_wallet_takes_nothing_new_and_a_top_up_lifts_it_on_the_spot(lab: Party) -> None:
    services.watch(now=NOW)
    services.check_open(lab.id, "CNY", now=NOW)  # grace refuses nothing by itself; the funds do
    with pytest.raises(InsufficientFunds):
        hold(lab, 1)
    services.watch(now=NOW + 72 * HOUR)
    with pytest.raises(WalletStopped, match=r"top up at least 5\.00 CNY"):
        services.check_open(lab.id, "CNY", now=NOW + 73 * HOUR)
    top_up(lab, 1_000)
    services.check_open(lab.id, "CNY", now=NOW + 73 * HOUR)
    assert landing(lab).status == "lifted"
    hold(lab, 500)


def test_the_database_holds_nothing_for_a_stopped_wallet_and_keeps_the_order_of_stages(lab: Party) -> None:
    services.watch(now=NOW)
    services.watch(now=NOW + 72 * HOUR)
    top_up(lab, 1_000)
    with pytest.raises(IntegrityError, match="nothing new is held"), transaction.atomic():
        hold(lab, 1)
    for change in (
        "status = 'grace', stopped_at = NULL",
        "status = 'releasing', releasing_at = releases_at - interval '1 second'",
        "status = 'lifted'",
        "began_at = began_at - interval '1 day'",
        "stops_at = stops_at - interval '1 hour'",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE billing_walletlanding SET {change}")  # the lines above


def test_the_policy_of_the_day_on_which_it_ran_out_counts(lab: Party) -> None:
    LandingPolicy.objects.create(grace_hours=1, notice_hours=0, effective_from=NOW - HOUR)
    services.watch(now=NOW)
    LandingPolicy.objects.create(grace_hours=900, notice_hours=900, effective_from=NOW)
    services.watch(now=NOW + HOUR)
    services.watch(now=NOW + HOUR)
    assert landing(lab).status == "releasing"


def test_a_wallet_within_its_funds_never_lands() -> None:
    lab = party("Lanting Robotics")
    top_up(lab, 100)
    hold(lab, 100)
    assert services.watch(now=NOW) == 0


def test_every_stage_leads_only_where_its_moves_say() -> None:
    for stage in rules.MOVES:
        if stage is Stage.LIFTED:
            continue
        for is_short in (True, False):
            for is_due in (True, False):
                following = rules.after(stage, is_short=is_short, is_due=is_due)
                assert following is stage or following in rules.MOVES[stage]
                assert is_short or following is Stage.LIFTED
