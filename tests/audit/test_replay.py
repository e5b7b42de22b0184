"""Replaying stored rounds: what is the same, what another engine may find differently, and what is damage."""

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.foundation import ids
from exchange.auctions import replay
from exchange.auctions.replay import Verdict
from exchange.clearing import engine
from exchange.rounds.models import Round, RoundOutcome
from tests.audit import of_market, stage


def replayed(*arguments: str) -> str:
    """Run the command and return what it printed, with the error at its end."""
    printed = StringIO()
    try:
        call_command("replay_round", *arguments, stdout=printed)
    except CommandError as error:
        printed.write(f"{error} (exit {error.returncode})")
    return printed.getvalue()


@pytest.fixture
def once(unguarded: None) -> Iterator[None]:
    """Be the owner of the unguarded database, in a transaction that is rolled back."""
    with stage.as_owner_for_once():
        yield


def stored_outcome() -> RoundOutcome:
    """Return the outcome of the story's round; the one of the day before is empty."""
    return RoundOutcome.objects.exclude(welfare_micros=0).get()


def change(**fields: Any) -> RoundOutcome:
    """Change the stored outcome of the story's round."""
    found = stored_outcome()
    RoundOutcome.objects.filter(round_id=found.round_id).update(**fields)
    return found


@pytest.mark.usefixtures("guarded")
def test_every_round_of_the_story_is_the_same_again() -> None:
    said = replayed("--all")
    stored = stored_outcome()
    name = ids.spell("rnd", stored.round_id)
    line = f"{name} ai-cards same: outcome {stored.digest} and certificate, by {engine.engine_version()}\n"
    assert line in said
    assert said.endswith("\n2 same.\n")
    assert replayed(name) == f"{line}1 same.\n"


@pytest.mark.usefixtures("guarded")
def test_what_cannot_be_replayed_is_said() -> None:
    waiting = Round.objects.filter(outcome=None).first()
    assert waiting is not None
    assert "has no outcome that could be replayed" in replayed(ids.spell("rnd", waiting.id))
    assert "Expected the id of a round such as rnd_..., got 'ord_1'" in replayed("ord_1")
    assert replayed() == replayed("--all", "rnd_1") == "Name rounds, or say --all. (exit 1)"


@pytest.mark.usefixtures("once")
def test_another_engine_that_finds_something_else_is_not_damage() -> None:
    stage.execute(of_market.rewritten("replace(text, '9000000', '8500000')"))
    stored = change(engine_version="strict-uniform/0")
    found = replay.replay(stored.round_id)
    assert (found.verdict, found.faults) == (Verdict.OTHER_ENGINE, ())
    assert f"stored by strict-uniform/0, replayed by {engine.engine_version()}: outcome " in found.compared
    assert replayed("--all").endswith("1 other engine, 1 same.\n")


@pytest.mark.usefixtures("once")
def test_another_engine_is_no_excuse_for_an_outcome_that_breaks_a_rule() -> None:
    stage.execute(of_market.rewritten("replace(text, '9000000', '7000000')"))
    found = replay.replay(change(engine_version="strict-uniform/0").round_id)
    assert found.verdict is Verdict.DAMAGED
    assert any(fault.startswith("IR_SELL: ") for fault in found.faults)


@pytest.mark.usefixtures("once")
def test_a_search_that_was_cut_short_may_end_elsewhere() -> None:
    stage.execute(of_market.rewritten("replace(text, '9000000', '8500000')"))
    stored = stored_outcome()
    assert replay.replay(stored.round_id).verdict is Verdict.DAMAGED
    Round.objects.filter(id=stored.round_id).update(degraded=True)
    assert replay.replay(stored.round_id).verdict is Verdict.DEGRADED


@pytest.mark.usefixtures("once")
def test_a_damaged_round_ends_the_commands_with_1_and_says_what_is_wrong() -> None:
    change(certificate="{}")
    said = replayed("--all")
    assert "damaged: the stored documents with each other\n    the certificate holds no vector" in said
    assert said.endswith("1 damaged, 1 same. (exit 1)")


@pytest.mark.usefixtures("guarded")
def test_an_audit_replays_every_round_on_request() -> None:
    printed = StringIO()
    call_command("audit", "--replay", stdout=printed)
    assert printed.getvalue().splitlines()[-2:] == ["Replayed 2 rounds, 0 damaged.", "All invariants hold."]
