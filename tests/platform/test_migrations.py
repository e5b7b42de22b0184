"""The way back: every migration can be undone, and done again, as Django itself does it."""

import pytest
from django.core.management import call_command
from django.core.management.commands import migrate
from django.db import connection

from config import roles, schema
from tests.architecture.sources import LINE

pytestmark = pytest.mark.long

_SCHEMA = """
    SELECT 'column', attrelid::regclass::text, attnum::text,
           concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated,
                     attcollation, pg_get_expr(adbin, adrelid))
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid AND relkind IN ('r', 'p', 'v')
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
    UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid)
    FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'function', '', oid::regprocedure::text, pg_get_functiondef(oid)
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind IN ('f', 'p')
    ORDER BY 1, 2, 3
"""


@pytest.mark.django_db(transaction=True)
def test_every_migration_can_be_undone_and_done_again() -> None:
    quickly_made = _schema()
    apps = [app for app in LINE if app != "config"]  # it has no tables
    for app in apps:  # what stands on the first app goes with it
        call_command("migrate", app, "zero", verbosity=0)
    ours = tuple(f"{app}_" for app in apps)
    assert [name for name in connection.introspection.table_names() if name.startswith(ours)] == []

    # By Django's own command, in half a minute: ours renders less (config.migrating) and must come to the same.
    with roles.as_owner():
        call_command(migrate.Command(), verbosity=0)
        roles.apply_grants()

    assert schema.is_current()
    assert _schema() == quickly_made


def _schema() -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_SCHEMA)
        return list(cursor.fetchall())
