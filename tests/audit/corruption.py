"""What a corruption is, and the short ways of saying the usual ones."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Corruption:
    """Statements after which one invariant, named by its code, does not hold any more."""

    code: str
    title: str
    statements: tuple[str, ...]


def corruption(code: str, title: str, *statements: str) -> Corruption:
    """Say what is wrong, and how to make it wrong."""
    return Corruption(code, title, statements)


def one(table: str, change: str, *, where: str = "true", key: str = "id") -> str:
    """Change a single row: the first by its key among those that fit."""
    return f"UPDATE {table} SET {change} WHERE {key} = (SELECT {key} FROM {table} WHERE {where} ORDER BY {key} LIMIT 1)"


def lost(table: str, *, where: str = "true", key: str = "id") -> str:
    """Lose a single row."""
    return f"DELETE FROM {table} WHERE {key} = (SELECT {key} FROM {table} WHERE {where} ORDER BY {key} LIMIT 1)"


def again(table: str, changes: str = "", *, where: str = "true", key: str = "id") -> str:
    """Write a single row once more under a new id, with changes in the form `'column', value`."""
    pairs = ", ".join(part for part in (f"'{key}', gen_random_uuid()", changes) if part)
    return (
        f"INSERT INTO {table} SELECT (jsonb_populate_record(r, jsonb_build_object({pairs}))).*"
        f" FROM {table} r WHERE {key} = (SELECT {key} FROM {table} WHERE {where} ORDER BY {key} LIMIT 1)"
    )
