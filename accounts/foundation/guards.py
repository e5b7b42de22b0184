"""Database guards that migrations of every app put on their tables.

`forbid_change()` and `check_move()` are SQL functions made by the first migrations of accounts.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.migrations.operations import RunSQL

Statement = str | tuple[str, dict[str, Any] | list[Any] | tuple[Any, ...] | tuple[()] | None]


def append_only(*tables: str) -> RunSQL:
    """Refuse UPDATE, DELETE and TRUNCATE of tables whose rows never change."""
    forward: list[Statement] = []
    backward: list[Statement] = []
    for table in tables:
        forward += [
            (
                f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION forbid_change();"
            ),
            (
                f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();"
            ),
        ]
        backward += [f"DROP TRIGGER {table}_no_change ON {table};", f"DROP TRIGGER {table}_no_truncate ON {table};"]
    return RunSQL(forward, backward)


def moves(table: str, column: str, allowed: Mapping[str, Iterable[str]]) -> RunSQL:
    """Refuse every change of a status column that is not in its table of moves."""
    edges = ", ".join(f"'{before!s}>{after!s}'" for before, afters in allowed.items() for after in sorted(afters))
    return RunSQL(
        f"CREATE TRIGGER {table}_{column}_moves BEFORE UPDATE OF {column} ON {table} FOR EACH ROW"
        f" WHEN (OLD.{column} IS DISTINCT FROM NEW.{column})"
        f" EXECUTE FUNCTION check_move('{column}', {edges});",
        f"DROP TRIGGER {table}_{column}_moves ON {table};",
    )
