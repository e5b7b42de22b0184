"""Tables of rules whose rows hold from an instant on, until the next row for the same begins."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db.models import Model

from accounts.foundation import ids, strict
from accounts.foundation.errors import FieldProblem, mismatch
from accounts.foundation.tables import Row
from accounts.organisations.models import Organisation
from catalog.measures.errors import MeasureError
from catalog.measures.money import EXPONENTS, format_minor, parse_minor

Said = Mapping[str, str]
_MAX_MINOR: Final = 10**15
_PPM_OF_A_PERCENT: Final = 10_000


@dataclass(frozen=True)
class Column:
    """One column: how a cell is read into one spelling, what the model's field is given for it, and the way back."""

    name: str
    field: str
    read: Callable[[Row, str], str | None]
    value: Callable[[str, Said], Any]
    spell: Callable[[Any, Any], str]  # the field's value, and the row that it is of
    is_optional: bool = False
    is_money: bool = False  # in the row's currency


@dataclass(frozen=True)
class Table:
    """A model of dated rows. `key` are the fields of which there is one row for an instant."""

    model: type[Model]
    columns: Sequence[Column]
    key: Sequence[str]
    notes_author: bool = False  # in the field `set_by`

    @property
    def required(self) -> tuple[str, ...]:
        """Return the columns that every row has."""
        return (*(column.name for column in self.columns if not column.is_optional), "effective_from")

    @property
    def amounts(self) -> frozenset[str]:
        """Return the columns that are money."""
        return frozenset(column.name for column in self.columns if column.is_money)

    @property
    def optional(self) -> tuple[str, ...]:
        """Return the columns that a row may have."""
        return tuple(column.name for column in self.columns if column.is_optional)

    def read(self, row: Row) -> Said | None:
        """Return a row in one spelling, or None after its problems."""
        texts = {column.name: column.read(row, column.name) for column in self.columns}
        starts = row.read("effective_from", strict.instant)
        if row.problems or starts is None:
            return None
        return {name: text or "" for name, text in texts.items()} | {"effective_from": starts.isoformat()}

    def problems(self, said: Said, now: datetime) -> list[FieldProblem]:
        """Return why a row does not fit: it would change the past, or another begins at the same instant."""
        starts, values = datetime.fromisoformat(said["effective_from"]), self._values(said)
        organisation_id = values.get("organisation_id")
        if organisation_id is not None and not Organisation.objects.filter(id=organisation_id).exists():
            return [FieldProblem("/organisation", mismatch(said["organisation"], "an organisation"))]
        expected = ""
        if starts < now:
            expected = f"a time from now on, {now.isoformat()}"
        elif self._rows().filter(effective_from=starts, **{name: values[name] for name in self.key}).exists():
            expected = "a time at which no other row for the same begins"
        return [FieldProblem("/effective_from", mismatch(said["effective_from"], expected))] if expected else []

    def add(self, said: Said, by: str) -> UUID:
        """Add the row; the caller holds the lock of changes and has checked it."""
        author = {"set_by": by} if self.notes_author else {}
        starts = datetime.fromisoformat(said["effective_from"])
        row = self._rows().create(effective_from=starts, **self._values(said), **author)
        return UUID(str(row.pk))

    def spelled(self) -> list[dict[str, str]]:
        """Return every row as texts by column, those that begin last first."""
        return [
            {column.name: column.spell(getattr(row, column.field), row) for column in self.columns}
            | {"effective_from": row.effective_from.isoformat()}
            for row in self._rows().order_by("-effective_from", "-pk")
        ]

    def _rows(self) -> Any:
        return self.model._default_manager

    def _values(self, said: Said) -> dict[str, Any]:
        return {column.field: column.value(said[column.name], said) for column in self.columns}


def currency() -> Column:
    """Return the column of a currency; amounts of the same row are in it."""

    def read(row: Row, name: str) -> str | None:
        if row.text(name) in EXPONENTS:
            return row.text(name)
        row.wrong(name, row.text(name), "a currency such as CNY")
        return None

    return Column("currency", "currency", read, lambda text, _: text, lambda value, _: str(value))


def money(name: str, field: str, *, least: int = 0) -> Column:
    """Return a column of amounts in the row's currency, from `least` minor units on."""

    def read(row: Row, name: str) -> str | None:
        code = row.text("currency")
        if code not in EXPONENTS:
            return None  # the currency's own problem
        try:
            minor = parse_minor(row.text(name), code)
        except MeasureError:
            minor = -1
        if least <= minor <= _MAX_MINOR:
            return format_minor(minor, code)
        bounds = f"a plain amount from {format_minor(least, code)} to {format_minor(_MAX_MINOR, code)}"
        row.wrong(name, row.text(name), bounds)
        return None

    return Column(
        name,
        field,
        read,
        lambda text, said: parse_minor(text, said["currency"]),
        lambda value, row: format_minor(value, row.currency),
        is_money=True,
    )


def whole(name: str, *, least: int, most: int) -> Column:
    """Return a column of whole numbers."""

    def read(row: Row, name: str) -> str | None:
        found = row.read(name, lambda text: strict.integer_text(text, minimum=least, maximum=most))
        return None if found is None else str(found)

    return Column(name, name, read, lambda text, _: int(text), lambda value, _: str(value))


def percent(name: str, field: str) -> Column:
    """Return a column of percents, kept in parts per million."""

    def read(row: Row, name: str) -> str | None:
        found = row.read(
            name,
            lambda text: strict.decimal(text, max_digits=7, decimal_places=4, minimum=Decimal(0), maximum=Decimal(100)),
        )
        return None if found is None else _percent_text(int(found * _PPM_OF_A_PERCENT))

    return Column(
        name,
        field,
        read,
        lambda text, _: int(Decimal(text) * _PPM_OF_A_PERCENT),
        lambda value, _: _percent_text(value),
    )


def _percent_text(ppm: int) -> str:
    """Spell parts per million as percent: 60,000 are "6"."""
    return f"{(Decimal(ppm) / _PPM_OF_A_PERCENT).normalize():f}"


def choice(name: str, options: Sequence[str]) -> Column:
    """Return a column of one of some words."""

    def read(row: Row, name: str) -> str | None:
        if row.text(name) in options:
            return row.text(name)
        row.wrong(name, row.text(name), f"one of {', '.join(options)}")
        return None

    return Column(name, name, read, lambda text, _: text, lambda value, _: str(value))


def organisation() -> Column:
    """Return the optional column of an organisation that a row is for; empty stands for all others."""

    def read(row: Row, name: str) -> str | None:
        text = row.text(name)
        try:
            return ids.spell("org", ids.parse("org", text)) if text else ""
        except ids.MalformedId:
            row.wrong(name, text, "an organisation id such as org_00000..., or nothing")
            return None

    return Column(
        "organisation",
        "organisation_id",
        read,
        lambda text, _: ids.parse("org", text) if text else None,
        lambda value, _: ids.spell("org", value) if value else "",
        is_optional=True,
    )
