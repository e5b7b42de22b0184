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

from config.databases import OwnerAccess

_SWAPPED = ("HOST", "PORT", "USER", "PASSWORD", "OPTIONS")


@contextmanager
def as_owner() -> Iterator[None]:
    """Let the default connection be the owner's inside the block, and the application's again after it.

    Raises ImproperlyConfigured when no database is configured.
    """
    access = _access()
    connection = connections[DEFAULT_DB_ALIAS]
    before = {key: connection.settings_dict[key] for key in _SWAPPED}
    connection.close()
    # The database's name stays: tests point the connection at databases of their own.
    connection.settings_dict.update({key: access.connection[key] for key in _SWAPPED})
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)


def prepare() -> None:
    """Make the application role, if it is missing, and let the owner assume it where it has to. Runs as the owner."""
    access = _access()
    role = sql.Identifier(access.application_role)
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [access.application_role])
        if cursor.fetchone() is None:
            _create_role(cursor, role)
        if not access.assumed:
            return
        cursor.execute("SELECT pg_has_role(current_user, %s, 'MEMBER')", [access.application_role])
        if cursor.fetchone() == (False,):
            cursor.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(role))


def _create_role(cursor: Any, role: sql.Identifier) -> None:
    # Roles belong to the whole server, so two databases may be prepared at once: losing that race is fine.
    cursor.execute(
        sql.SQL(
            "DO $$ BEGIN CREATE ROLE {} NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        ).format(role)
    )


def _access() -> OwnerAccess:
    access: OwnerAccess | None = settings.DATABASE_OWNER
    if access is None:
        raise ImproperlyConfigured("DATABASE_URL is not set; there is no database to own.")
    return access


def application_role() -> str:
    """Return the name of the role that the application works as."""
    return _access().application_role


def append_only_tables() -> set[str]:
    """Return the tables that apps declare as append-only."""
    return {table for app in apps.get_app_configs() for table in getattr(app, "append_only_tables", ())}


def read_only_tables() -> set[str]:
    """Return the tables that apps declare as written by the database's own functions alone."""
    return {table for app in apps.get_app_configs() for table in getattr(app, "read_only_tables", ())}


def check_declared_tables() -> None:
    """Raise ImproperlyConfigured when an app declares an append-only or read-only table that does not exist."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        known = {name for name, _ in _tables(cursor)}
    unknown = sorted((append_only_tables() | read_only_tables()) - known)
    if unknown:
        raise ImproperlyConfigured(
            f"append_only_tables or read_only_tables names {', '.join(unknown)}, which no migration makes."
        )


def apply_grants() -> None:
    """Give the application role exactly its rights on every table of the public schema. Runs as the owner."""
    role = sql.Identifier(_access().application_role)
    append_only = append_only_tables()
    read_only = read_only_tables()
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role))
        cursor.execute(sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(role))
        for name, parent in _tables(cursor):
            # A partition is as append-only as the table it belongs to.
            kept = name in append_only or parent in append_only
            cursor.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(sql.Identifier(name), role))
            verbs = sql.SQL("SELECT, INSERT" if kept else "SELECT, INSERT, UPDATE, DELETE")
            if name in read_only:
                verbs = sql.SQL("SELECT")
            cursor.execute(sql.SQL("GRANT {} ON {} TO {}").format(verbs, sql.Identifier(name), role))


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
