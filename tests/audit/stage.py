"""Two databases with the story played in them: one as it is, one without its guards.

In the second one anything can be written, as the owner could who has dropped a constraint: what the
database would have refused is there for the audit to find. Corruptions are never committed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Final

from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction

from config import roles
from config.audit.checks import ALL
from config.audit.invariants import Finding
from exchange.demo import story
from tests import databases, environment

DAY: Final = date(2026, 11, 20)
INVARIANTS: Final = {invariant.code: invariant for invariant in ALL}


@contextmanager
def pointed_at(name: str) -> Iterator[None]:
    """Let the default connection lead to another database inside the block."""
    current = connections[DEFAULT_DB_ALIAS]
    before = current.settings_dict["NAME"]
    current.close()
    current.settings_dict["NAME"] = name
    try:
        yield
    finally:
        current.close()
        current.settings_dict["NAME"] = before


def with_the_story() -> str:
    """Make a database in which the story was played, and return its name."""
    name = _named("story")
    with pointed_at(name):
        databases.renew(name)
        story.play(DAY)
    return name


def without_guards(played: str) -> str:
    """Make a copy of the played database without a trigger, a constraint or a unique index; return its name."""
    name = _named("unguarded")
    with pointed_at(name):
        databases.renew(name, source=played)
        _drop_guards()
    return name


@contextmanager
def as_owner_for_once() -> Iterator[None]:
    """Be the owner, in a transaction that is rolled back."""
    with roles.as_owner(), transaction.atomic():
        yield
        transaction.set_rollback(True)


def finding(code: str) -> Finding:
    """Return what the check of one invariant sees now."""
    with connection.cursor() as cursor:
        return INVARIANTS[code].check(cursor)


def execute(*statements: str) -> None:
    """Run statements that have to change something."""
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
            assert cursor.rowcount != 0, f"changed nothing: {statement}"


def _named(what: str) -> str:
    return f"test_{environment.run_id()}_{environment.worker_id()}_{what}"


def _drop_guards() -> None:
    with roles.as_owner(), transaction.atomic(), connection.cursor() as cursor:
        # Primary keys stay: queries group by them. A foreign key goes with the unique constraint it points at.
        cursor.execute(
            """
            SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass) FROM pg_trigger
            WHERE NOT tgisinternal AND tgparentid = 0
            UNION ALL
            SELECT format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I CASCADE', conrelid::regclass, conname)
            FROM pg_constraint
            WHERE contype IN ('c', 'f', 'u', 'x') AND conislocal AND conparentid = 0
              AND connamespace = 'public'::regnamespace AND conrelid <> 0
            UNION ALL
            SELECT format('DROP INDEX %s', indexrelid::regclass) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
            WHERE indisunique AND c.relnamespace = 'public'::regnamespace
              AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)
            """
        )
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)
