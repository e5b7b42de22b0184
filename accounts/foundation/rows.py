"""Writing and changing many rows in one statement."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Field, Model

Row = TypeVar("Row", bound=Model)


def insert(rows: Iterable[Row]) -> list[Row]:
    """Write new rows of one model, whose keys are set, with a single COPY in their order; return them.

    Constraints and triggers judge each row as they do for an INSERT. Django's own `bulk_create` spells every value in
    SQL, which takes longer than the database does.
    """
    new = list(rows)
    if not new:
        return new
    database = connections[DEFAULT_DB_ALIAS]  # itself, not the stand-in that looks for it at every turn
    quote = database.ops.quote_name
    fields = type(new[0])._meta.concrete_fields
    statement = f"""
        COPY {quote(type(new[0])._meta.db_table)} ({", ".join(quote(str(field.column)) for field in fields)}) FROM STDIN
        """

    def copy(sql: str, params: Any, many: bool, context: dict[str, Any]) -> None:  # noqa: FBT001 (Django's signature)
        with database.wrap_database_errors, context["cursor"].copy(sql) as copying:
            for row in new:
                copying.write_row([field.get_db_prep_save(field.pre_save(row, add=True), database) for field in fields])

    with database.cursor() as cursor:
        execute: Callable[..., Any] = copy
        # Whoever watches the statements of this connection sees this one, too.
        for wrapper in reversed(database.execute_wrappers):
            execute = partial(wrapper, execute)
        execute(statement, None, False, {"connection": database, "cursor": cursor})  # noqa: FBT003 (Django's signature)
    for row in new:
        row._state.adding = False
        row._state.db = database.alias
    return new


def update(rows: Sequence[Model], fields: Sequence[str]) -> None:
    """Write the named fields of rows of one model, which the caller has locked, in a single UPDATE.

    The values go as one array for each column. Django's own `bulk_update` builds an expression for every value,
    which takes longer than the database does.
    """
    if not rows:
        return
    model = type(rows[0])
    database = connections[DEFAULT_DB_ALIAS]
    quote = database.ops.quote_name
    names: list[str] = []
    arrays: list[list[Any]] = []
    types: list[str] = []
    for field in (model._meta.pk, *(model._meta.get_field(name) for name in fields)):
        assert isinstance(field, Field), field
        assert field.column is not None, field
        names.append(quote(field.column))
        arrays.append([field.get_db_prep_save(getattr(row, field.attname), database) for row in rows])
        db_type = field.db_type(database)
        assert db_type is not None, field
        # A cast to a bounded text would cut what is too long instead of refusing it.
        types.append("text" if db_type.startswith("varchar") else db_type)
    key, *changed = names
    table = quote(model._meta.db_table)
    with database.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE {table} AS old SET {", ".join(f"{name} = new.{name}" for name in changed)}
            FROM unnest({", ".join(f"%s::{type_}[]" for type_ in types)}) AS new ({", ".join(names)})
            WHERE old.{key} = new.{key}
            """,  # noqa: S608 (names of tables, columns and types of our own models)
            arrays,
        )
        assert cursor.rowcount == len(rows), "every row that changes exists and is given once"
