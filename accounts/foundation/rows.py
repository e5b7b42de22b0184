"""Changing many rows in one statement."""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import Field, Model


def update(rows: Sequence[Model], fields: Sequence[str]) -> None:
    """Write the named fields of rows of one model, which the caller has locked, in a single UPDATE.

    The values go as one array for each column. Django's own `bulk_update` builds an expression for every value,
    which takes longer than the database does.
    """
    if not rows:
        return
    model = type(rows[0])
    quote = connection.ops.quote_name
    names: list[str] = []
    arrays: list[list[Any]] = []
    types: list[str] = []
    for field in (model._meta.pk, *(model._meta.get_field(name) for name in fields)):
        assert isinstance(field, Field), field
        assert field.column is not None, field
        names.append(quote(field.column))
        arrays.append([field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows])
        db_type = field.db_type(connection)
        assert db_type is not None, field
        # A cast to a bounded text would cut what is too long instead of refusing it.
        types.append("text" if db_type.startswith("varchar") else db_type)
    key, *changed = names
    table = quote(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE {table} AS old SET {", ".join(f"{name} = new.{name}" for name in changed)}
            FROM unnest({", ".join(f"%s::{type_}[]" for type_ in types)}) AS new ({", ".join(names)})
            WHERE old.{key} = new.{key}
            """,  # noqa: S608 (names of tables, columns and types of our own models)
            arrays,
        )
        assert cursor.rowcount == len(rows), "every row that changes exists and is given once"
