"""Databases for tests: one migrated template for a run, a clone of it for each worker.

Tests work as the application role, which may not TRUNCATE, and append-only tables forbid it anyway.
So a test that really commits gets a fresh clone after it instead of a flushed database.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import sql

from config import roles
from tests import environment

# Any number that nobody else locks on this server.
_TEMPLATE_LOCK = 7_301_911


def template() -> str:
    """Return the name of this run's template, made and migrated by whoever asks first."""
    name = f"test_{environment.run_id()}_template"
    with _maintenance() as server:
        server.execute("SELECT pg_advisory_lock(%s)", [_TEMPLATE_LOCK])
        if not _exists(server, name):
            # Renamed when it is whole: a failed migration leaves no half template behind its name.
            building = f"{name}_building"
            _drop(server, building)
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(building)))
            _migrate(building)
            server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*map(sql.Identifier, (building, name))))
    return name


def use_clone() -> str:
    """Point the default connection at this worker's own clone of the template and return its name."""
    name = f"test_{environment.run_id()}_{environment.worker_id()}"
    renew(name)
    connections[DEFAULT_DB_ALIAS].settings_dict["NAME"] = name
    os.environ["DATABASE_URL"] = _renamed(os.environ["DATABASE_URL"], name)
    return name


def renew(name: str | None = None, *, source: str | None = None) -> None:
    """Replace a database (this worker's, if none is named) by a fresh clone; every connection to it is cut.

    The clone is of the template unless another source is named.
    """
    name = name or connections[DEFAULT_DB_ALIAS].settings_dict["NAME"]
    source = source or template()
    connections.close_all()
    with _maintenance() as server:
        _drop(server, name)
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*map(sql.Identifier, (name, source))))


def drop_all() -> None:
    """Remove every database of this run."""
    with _maintenance() as server:
        names = server.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [f"test_{environment.run_id()}_"]
        ).fetchall()
        for (name,) in names:
            _drop(server, name)


def _migrate(name: str) -> None:
    connection = connections[DEFAULT_DB_ALIAS]
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        call_command("migrate", verbosity=0, interactive=False)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


@contextmanager
def owner_cursor() -> Iterator[Any]:
    """Give a test a cursor of the owner on this worker's database, for what the application may not do."""
    with roles.as_owner(), connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        yield cursor


@contextmanager
def _maintenance() -> Iterator[psycopg.Connection[Any]]:
    """Connect as the owner to a database that tests never touch."""
    access = settings.DATABASE_OWNER
    assert access is not None, "tests.environment sets DATABASE_URL before Django is configured"
    owner = access.connection
    with psycopg.connect(
        host=owner["HOST"],
        port=owner["PORT"] or None,
        user=owner["USER"],
        password=owner["PASSWORD"] or None,
        dbname="postgres",
        autocommit=True,
    ) as server:
        yield server


def _exists(server: psycopg.Connection[Any], name: str) -> bool:
    return server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def _drop(server: psycopg.Connection[Any], name: str) -> None:
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _renamed(url: str, name: str) -> str:
    head, _, query = url.partition("?")
    return head.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")
