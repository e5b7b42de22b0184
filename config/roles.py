"""The two database roles: the owner migrates, the application works.

The application role reads and writes rows; on append-only tables it may only add and read.
Apps name those tables in `append_only_tables` of their AppConfig. Grants are reapplied after
every migration, so a new table never waits for them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import sql

from config.databases import APPLICATION_ROLE, OwnerAccess

_SWAPPED = ("HOST", "PORT", "NAME", "USER", "PASSWORD", "OPTIONS")


@contextmanager
def as_owner() -> Iterator[None]:
    """Let the default connection be the owner's inside the block, and the application's again after it.

    Raises ImproperlyConfigured when no database is configured.
    """
    owner: OwnerAccess | None = settings.DATABASE_OWNER
    if owner is None:
        raise ImproperlyConfigured("DATABASE_URL is not set; there is no database to own.")
    connection = connections[DEFAULT_DB_ALIAS]
    before = {key: connection.settings_dict[key] for key in _SWAPPED}
    connection.close()
    # The database's name is not the owner's affair: tests point the connection at databases of their own.
    connection.settings_dict.update({key: owner.settings[key] for key in _SWAPPED} | {"NAME": before["NAME"]})
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)


def prepare() -> None:
    """Make the application role, if it is missing, and let the owner assume it. Runs as the owner."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APPLICATION_ROLE])
        if cursor.fetchone() is None:
            # Two databases of one server may be prepared at once: the loser of the race is content.
            cursor.execute(
                "DO $$ BEGIN CREATE ROLE exchange_app NOLOGIN; "
                "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
            )
        cursor.execute("SELECT pg_has_role(current_user, %s, 'MEMBER')", [APPLICATION_ROLE])
        (is_member,) = cursor.fetchone()
        if not is_member:
            cursor.execute("GRANT exchange_app TO CURRENT_USER")


def append_only_tables() -> set[str]:
    """Return the tables that apps declare as append-only."""
    return {table for app in apps.get_app_configs() for table in getattr(app, "append_only_tables", ())}


def apply_grants() -> None:
    """Give the application role exactly its rights on every table of the public schema. Runs as the owner.

    Raises ImproperlyConfigured when an app declares an append-only table that does not exist.
    """
    role = sql.Identifier(APPLICATION_ROLE)
    append_only = append_only_tables()
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        tables = _tables(cursor)
        unknown = sorted(append_only - {name for name, _ in tables})
        if unknown:
            raise ImproperlyConfigured(f"append_only_tables names {', '.join(unknown)}, which no migration makes.")
        _execute(cursor, sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role))
        _execute(cursor, sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(role))
        for name, parent in tables:
            # A partition is as append-only as the table it belongs to.
            kept = name in append_only or parent in append_only
            _execute(cursor, sql.SQL("REVOKE ALL ON {} FROM {}").format(sql.Identifier(name), role))
            verbs = sql.SQL("SELECT, INSERT" if kept else "SELECT, INSERT, UPDATE, DELETE")
            _execute(cursor, sql.SQL("GRANT {} ON {} TO {}").format(verbs, sql.Identifier(name), role))


def _tables(cursor: Any) -> list[tuple[str, str | None]]:
    cursor.execute(
        """
        SELECT c.relname, p.relname
        FROM pg_class c
        LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
        LEFT JOIN pg_class p ON p.oid = i.inhparent
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
        ORDER BY c.relname
        """
    )
    return list(cursor.fetchall())


def _execute(cursor: Any, statement: sql.Composed) -> None:
    cursor.execute(statement)
