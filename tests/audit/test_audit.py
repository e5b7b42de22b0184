"""The audit: green after the story, and red for every kind of damage; each invariant has damage of its own."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from config import roles
from config.audit.checks import ALL
from tests.audit import (
    of_bills,
    of_books,
    of_cards,
    of_fapiao,
    of_gateway,
    of_market,
    of_payouts,
    of_policies,
    of_quotes,
    of_resales,
    of_structure,
    of_wallets,
    of_workbench,
    stage,
)
from tests.audit.corruption import Corruption

ROWS = (
    *of_books.CORRUPTIONS,
    *of_gateway.CORRUPTIONS,
    *of_cards.CORRUPTIONS,
    *of_wallets.CORRUPTIONS,
    *of_market.CORRUPTIONS,
    *of_quotes.CORRUPTIONS,
    *of_resales.CORRUPTIONS,
    *of_bills.CORRUPTIONS,
    *of_fapiao.CORRUPTIONS,
    *of_payouts.CORRUPTIONS,
    *of_policies.CORRUPTIONS,
    *of_workbench.CORRUPTIONS,
    *of_structure.CORRUPTIONS,
)
CODES = [invariant.code for invariant in ALL]


def named(corruption: Corruption) -> str:
    return f"{corruption.code} {corruption.title}"


def output_of_audit() -> str:
    printed = StringIO()
    call_command("audit", stdout=printed)
    return printed.getvalue()


def test_every_invariant_has_a_corruption_that_breaks_it() -> None:
    assert {corruption.code for corruption in (*ROWS, *of_structure.DISARMED)} == set(CODES)


def test_every_invariant_has_a_code_and_a_statement_of_its_own() -> None:
    assert len(set(CODES)) == len(CODES)
    assert len({invariant.statement for invariant in ALL}) == len(CODES)


@pytest.mark.usefixtures("guarded")
def test_after_the_story_every_invariant_holds_and_has_its_line() -> None:
    *lines, last = output_of_audit().splitlines()
    assert [line.split()[:2] for line in lines] == [[code, "ok"] for code in CODES]
    for line, invariant in zip(lines, ALL, strict=True):
        assert line.endswith(f" {invariant.noun}: {invariant.statement}")
    assert last == "All invariants hold."


@pytest.mark.usefixtures("unguarded")
def test_without_guards_the_rows_are_the_same_and_only_the_guards_are_missed() -> None:
    assert [code for code in CODES if stage.finding(code).violations] == ["L6", "S1"]


@pytest.mark.usefixtures("unguarded")
def test_a_violation_ends_the_command_with_1_and_a_line_that_names_it() -> None:
    printed = StringIO()
    with pytest.raises(CommandError, match="2 invariants do not hold") as error:
        call_command("audit", stdout=printed)
    assert error.value.returncode == 1
    lines = printed.getvalue().splitlines()
    failed = [line.split()[0] for line in lines if line[5:9] == "FAIL"]
    assert failed == ["L6", "S1"]
    assert any("accounts_auditlink: no trigger refuses UPDATE, DELETE and TRUNCATE" in line for line in lines)
    assert any(line.strip().startswith("and ") and line.endswith(" more") for line in lines)


@pytest.mark.parametrize("corruption", ROWS, ids=named)
@pytest.mark.usefixtures("unguarded")
def test_the_audit_finds(corruption: Corruption) -> None:
    with stage.as_owner_for_once():
        assert not stage.finding(corruption.code).violations
        stage.execute(*corruption.statements)
        found = stage.finding(corruption.code)
        assert found.violations
        assert all(violation.found for violation in found.violations)


@pytest.mark.parametrize("corruption", of_structure.DISARMED, ids=named)
@pytest.mark.usefixtures("guarded")
def test_the_audit_finds_a_guard_that_is_off(corruption: Corruption) -> None:
    application = roles.application_role()
    with stage.as_owner_for_once():
        assert not stage.finding(corruption.code).violations
        stage.execute(*(statement.replace("{application}", f'"{application}"') for statement in corruption.statements))
        assert stage.finding(corruption.code).violations
