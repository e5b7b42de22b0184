"""What no table of the exchange may hold, and what its tables promise."""

import pytest
from django.apps import apps
from django.db import connection, models

from config import roles
from tests.architecture.sources import LINE


def test_no_column_is_a_binary_fraction() -> None:
    wrong = [
        f"{model._meta.label}.{field.name}"
        for label in LINE
        for model in apps.get_app_config(label).get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.FloatField)
    ]
    assert wrong == []


@pytest.mark.django_db
def test_the_application_may_only_read_and_add_to_append_only_tables() -> None:
    allowed = {}
    with connection.cursor() as cursor:
        for table in sorted(roles.append_only_tables() - roles.read_only_tables()):
            cursor.execute(
                "SELECT verb FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) verb "
                "WHERE has_table_privilege(%s, verb)",
                [table],
            )
            allowed[table] = {verb for (verb,) in cursor.fetchall()}
    assert {table: verbs for table, verbs in allowed.items() if verbs != {"SELECT", "INSERT"}} == {}
    assert allowed, "the ledger's tables are append-only"


@pytest.mark.django_db
def test_the_application_owns_no_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace "
            "AND pg_get_userbyid(relowner) = current_user"
        )
        assert cursor.fetchone() == (0,)
