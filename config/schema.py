"""Whether the database has the tables that this code expects."""

from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor


def is_current() -> bool:
    """Tell whether every migration has been applied; raises DatabaseError when the database is not there."""
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def bring_up_to_date() -> None:
    """Apply the migrations that are missing."""
    try:
        current = is_current()
    except DatabaseError:  # the application role does not exist before the first migration
        current = False
    if not current:
        call_command("migrate", verbosity=0, interactive=False)
