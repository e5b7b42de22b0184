"""Ids, the clock, sealed fields and the guards of the database."""

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import rfc8785
from django.db import DataError, IntegrityError, connection, transaction
from hypothesis import example, given
from hypothesis import strategies as st

from accounts.events.models import Event
from accounts.foundation import canonical, clock, ids, rows, sealed
from accounts.foundation.errors import Invalid, shown
from accounts.foundation.ids import MalformedId
from accounts.organisations.models import Organisation
from tests.accounts import cast

LONG_AGO = datetime(2026, 5, 1, 4, tzinfo=UTC)


@given(st.uuids(), st.sampled_from(sorted(ids.PREFIXES)))
def test_an_id_is_read_back_as_it_was_spelled(value: UUID, prefix: str) -> None:
    text = ids.spell(prefix, value)

    assert ids.parse(prefix, text) == value
    assert text == text.lower()
    assert len(text) == len(prefix) + 1 + 26


def test_spelled_ids_sort_like_the_ids() -> None:
    values = [ids.new_id() for _ in range(200)]

    assert values == sorted(values)
    assert [ids.spell("ord", value) for value in values] == sorted(ids.spell("ord", value) for value in values)


def test_the_spelling_is_that_of_the_typeid_specification() -> None:
    assert ids.spell("ord", UUID(int=0)) == "ord_00000000000000000000000000"
    assert ids.spell("ord", UUID(int=2**128 - 1)) == "ord_7zzzzzzzzzzzzzzzzzzzzzzzzz"
    assert ids.spell("ord", UUID("00000000-0000-0000-0000-000000000020")) == "ord_00000000000000000000000010"


@given(st.text())
def test_other_text_is_no_id(text: str) -> None:
    with pytest.raises(MalformedId):
        ids.parse("ord", text)


@pytest.mark.parametrize(
    "text",
    ["off_00000000000000000000000000", "ord_80000000000000000000000000", "ord_0000000000000000000000000",
     "ord_000000000000000000000000000", "ord_0000000000000000000000000U", "ord_0000000000000000000000000i", None, 5],
)  # fmt: skip
def test_the_id_of_another_kind_or_shape_is_refused(text: object) -> None:
    with pytest.raises(MalformedId, match="was given; expected an order id"):
        ids.parse("ord", text)


def test_a_virtual_clock_stands_still_until_it_is_given_back(db: None) -> None:
    with clock.travel(LONG_AGO):
        assert clock.now() == LONG_AGO
        assert clock.now() == LONG_AGO
        with clock.travel(LONG_AGO + timedelta(days=1)):
            assert clock.now() == LONG_AGO + timedelta(days=1)
        assert clock.now() == LONG_AGO

    first, second = clock.now(), clock.now()
    assert LONG_AGO < first < second


def test_the_clock_is_given_back_when_something_fails(db: None) -> None:
    with contextlib.suppress(ZeroDivisionError), clock.travel(LONG_AGO):
        1 / 0  # noqa: B018

    assert clock.now() != LONG_AGO


def test_production_has_no_other_time_than_the_real_one(db: None, settings: Any) -> None:
    settings.PRODUCTION = True

    with pytest.raises(clock.ClockIsReal):
        clock.set_virtual(LONG_AGO)


def test_a_sealed_text_is_opened_with_its_key_alone(settings: Any) -> None:
    stored = sealed.seal("ssh ubuntu@203.0.113.7 密码")

    assert b"ubuntu" not in stored
    assert sealed.unseal(stored) == "ssh ubuntu@203.0.113.7 密码"
    with pytest.raises(sealed.CannotOpen):
        sealed.unseal(stored[:-4] + b"AAA=")
    settings.FIELD_ENCRYPTION_KEY = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
    with pytest.raises(sealed.CannotOpen):
        sealed.unseal(stored)


def test_a_field_problem_names_the_value_and_the_expectation() -> None:
    refusal = Invalid.field("/quantity", 0, "a whole number from 1")

    assert refusal.problems[0].pointer == "/quantity"
    assert refusal.detail == "quantity: 0 was given; expected a whole number from 1."


@given(st.text(max_size=300))
def test_what_is_quoted_in_a_message_is_short_and_printable(text: str) -> None:
    assert shown(text).isprintable()
    assert len(shown(text)) <= 63


def test_the_database_refuses_moves_that_are_not_listed(lab: Organisation) -> None:
    with pytest.raises(IntegrityError, match="may not move active>applied"), transaction.atomic():
        Organisation.objects.filter(pk=lab.pk).update(status="applied")


@pytest.mark.parametrize("table", ["accounts_auditrecord", "accounts_auditlink", "accounts_event"])
@pytest.mark.parametrize("verb", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"])
def test_the_application_may_not_change_what_is_append_only(lab: Organisation, table: str, verb: str) -> None:
    column = "record_id" if table == "accounts_auditlink" else "id"
    with pytest.raises(Exception, match=r"permission denied|never changed"), transaction.atomic():
        _execute(verb.format(table, column))


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_many_rows_are_changed_in_one_statement(
    db: None, django_assert_num_queries: Callable[[int], contextlib.AbstractContextManager[object]]
) -> None:
    first, second, third = (cast.organisation(name) for name in ("One", "Two", "Three"))
    first.name, first.synthetic = 'Eins, "{1}"', True
    second.name, second.created_at = "二", LONG_AGO
    with django_assert_num_queries(1):
        rows.update([second, first], ["name", "synthetic", "created_at"])
    for row in (first, second, third):
        stored = Organisation.objects.get(id=row.id)
        assert (stored.name, stored.synthetic, stored.created_at) == (row.name, row.synthetic, row.created_at)
    rows.update([], ["name"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
)


@given(JSON)
@example({"\ue000": 1, "\U0001f600": 2})  # by UTF-16 the second comes first
def test_canonical_json_is_that_of_the_rfc(document: Any) -> None:
    assert canonical.dump(document) == rfc8785.dumps(document)


@pytest.mark.parametrize("document", [2**53, {"a": [-(2**60)]}, "\ud800"])
def test_what_canonical_json_cannot_say_is_refused(document: Any) -> None:
    with pytest.raises(rfc8785.CanonicalizationError):
        canonical.dump(document)


def test_many_rows_are_written_in_one_statement_in_their_order(db: None) -> None:
    organisation = cast.organisation("One")
    payloads = [{"text": 'back\\slash, tab\t, newline\n, quote ", 二, \\N'}, {}, {"number": 2**70, "nothing": None}]
    told = [
        Event(type="a.b", subject_type="x", subject_id=organisation.id, payload=payload, at=LONG_AGO)
        for payload in payloads
    ]
    told[1].organisation = organisation
    seen: list[str] = []

    def watch(execute: Callable[..., object], sql: str, params: object, many: bool, context: object) -> object:
        seen.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        assert rows.insert(event for event in told) == told
    assert len(seen) == 1
    assert [event.payload for event in Event.objects.filter(type="a.b").order_by("id")] == payloads
    assert [event.organisation for event in Event.objects.filter(type="a.b").order_by("id")] == [
        None,
        organisation,
        None,
    ]
    assert not any(event._state.adding for event in told)
    assert rows.insert([]) == []


def test_new_rows_that_break_a_constraint_are_refused_as_anywhere_else(db: None) -> None:
    organisation = cast.organisation("One")
    twice = [Event(type="a.b", subject_type="x", subject_id=organisation.id, at=LONG_AGO) for _ in range(2)]
    twice[1].id = twice[0].id
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.insert(twice)
    assert all(event._state.adding for event in twice)
    twice[1].id, twice[1].type = ids.new_id(), "x" * 81
    with pytest.raises(DataError), transaction.atomic():
        rows.insert(twice)
    assert not Event.objects.filter(subject_type="x").exists()


def test_rows_that_do_not_exist_or_hold_too_much_are_refused(db: None) -> None:
    organisation = cast.organisation("One")
    organisation.name = "x" * 201
    with pytest.raises(DataError), transaction.atomic():
        rows.update([organisation], ["name"])
    organisation.id = ids.new_id()
    with pytest.raises(AssertionError, match="exists"):
        rows.update([organisation], ["synthetic"])
