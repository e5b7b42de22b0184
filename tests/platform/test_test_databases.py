"""The databases that tests get."""

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db


def test_tests_work_as_the_application_role() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, has_schema_privilege('public', 'CREATE')")
        assert cursor.fetchone() == ("exchange_app", False)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(3))
def test_a_committed_row_is_gone_in_the_next_test(attempt: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_session")
        assert cursor.fetchone() == (0,)
        cursor.execute("INSERT INTO django_session VALUES ('a', 'b', clock_timestamp())")


def test_every_session_has_its_timeouts_and_reads_committed_rows() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('lock_timeout'), current_setting('statement_timeout'), "
            "current_setting('default_transaction_isolation'), current_setting('timezone')"
        )
        assert cursor.fetchone() == ("3s", "1min", "read committed", "UTC")
