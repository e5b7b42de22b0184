"""Strict input fields of the API, over the readers in `strict`."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from rest_framework import serializers

from accounts.foundation import ids, schemas, strict

Inward = TypeVar("Inward")


class StrictField(serializers.Field[Any, Any, Any, Any]):
    """A field whose reader raises Mismatch; output is the value as it is."""

    default_error_messages = {"null": "null was given; expected a value."}

    def read(self, value: object) -> object:
        """Return the inward value or raise strict.Mismatch."""
        raise NotImplementedError

    def schema(self) -> dict[str, Any]:
        """Return what the reader takes as JSON Schema, as far as that can say it, for the API description."""
        raise NotImplementedError

    def to_internal_value(self, data: object) -> object:
        """Return the inward value; refuses with the sentence of the Mismatch."""
        return checked(lambda: self.read(data))

    def to_representation(self, value: object) -> object:
        """Return the value unchanged: input fields are not used for output."""
        return value


def checked(read: Callable[[], Inward]) -> Inward:
    """Run a strict reader inside a serializer's validation."""
    try:
        return read()
    except strict.Mismatch as error:
        raise serializers.ValidationError(str(error), code="invalid") from error


class StrictInteger(StrictField):
    """A JSON number without fraction or exponent, within bounds (included)."""

    def __init__(self, *, min_value: int, max_value: int, **options: Any) -> None:
        super().__init__(**options)
        self.min_value = min_value
        self.max_value = max_value

    def schema(self) -> dict[str, Any]:
        return schemas.whole_number(self.min_value, self.max_value)

    def read(self, value: object) -> int:
        return strict.integer(value, minimum=self.min_value, maximum=self.max_value)


class StrictDecimal(StrictField):
    """A plain decimal in a JSON string."""

    def __init__(
        self,
        *,
        max_digits: int,
        decimal_places: int,
        min_value: Decimal | None = None,
        max_value: Decimal | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.max_digits = max_digits
        self.decimal_places = decimal_places
        self.min_value = min_value
        self.max_value = max_value

    def schema(self) -> dict[str, Any]:
        return schemas.decimal(self.max_digits, self.decimal_places, minimum=self.min_value)

    def read(self, value: object) -> Decimal:
        return strict.decimal(
            value,
            max_digits=self.max_digits,
            decimal_places=self.decimal_places,
            minimum=self.min_value,
            maximum=self.max_value,
        )


class StrictText(StrictField):
    """Text without control characters, within a length in characters."""

    def __init__(self, *, max_length: int, min_length: int = 1, multiline: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.max_length = max_length
        self.min_length = min_length
        self.multiline = multiline

    def schema(self) -> dict[str, Any]:
        return schemas.text(self.min_length, self.max_length, multiline=self.multiline)

    def read(self, value: object) -> str:
        return strict.text(value, max_length=self.max_length, min_length=self.min_length, multiline=self.multiline)


class StrictDateTime(StrictField):
    """A time with an explicit offset, given on as UTC."""

    def schema(self) -> dict[str, Any]:
        return schemas.instant()

    def read(self, value: object) -> datetime:
        return strict.instant(value)


class StrictDate(StrictField):
    """A calendar date."""

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date"}

    def read(self, value: object) -> date:
        return strict.calendar_date(value)


class StrictBoolean(StrictField):
    """JSON true or false and nothing that looks like it."""

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}

    def read(self, value: object) -> bool:
        if type(value) is not bool:
            raise strict.Mismatch(value, "true or false")
        return value


class StrictChoice(StrictField):
    """One of a fixed set of texts, given on as the enum's member when `options` is a StrEnum."""

    def __init__(self, *, options: Any, **rest: Any) -> None:
        super().__init__(**rest)
        self.options = {str(option): option for option in options}

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.options)}

    def read(self, value: object) -> str:
        if not isinstance(value, str) or value not in self.options:
            raise strict.Mismatch(value, f"one of {', '.join(self.options)}")
        return self.options[value]  # type: ignore[no-any-return]


class TypedId(StrictField):
    """An id in its outside spelling, given on as a UUID; UUIDs are spelled on output."""

    def __init__(self, prefix: str, **options: Any) -> None:
        super().__init__(**options)
        self.prefix = prefix

    def schema(self) -> dict[str, Any]:
        return schemas.typed_id(self.prefix)

    def read(self, value: object) -> UUID:
        try:
            return ids.parse(self.prefix, value)
        except ids.MalformedId as error:
            raise strict.Mismatch(value, f"an id such as {self.prefix}_01jd...") from error

    def to_representation(self, value: object) -> str:
        assert isinstance(value, UUID), value
        return ids.spell(self.prefix, value)
