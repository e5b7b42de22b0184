"""Strict input fields of the API, over the readers in `strict`."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.foundation import ids, strict

Inward = TypeVar("Inward")


class _Strict(serializers.Field[Any, Any, Any, Any]):
    """A field whose reader raises Mismatch; output is the value as it is."""

    default_error_messages = {"null": "null was given; expected a value."}

    def read(self, value: object) -> object:
        """Return the inward value or raise strict.Mismatch."""
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


@extend_schema_field(OpenApiTypes.INT64)
class StrictInteger(_Strict):
    """A JSON number without fraction or exponent, within bounds (included)."""

    def __init__(self, *, min_value: int, max_value: int, **options: Any) -> None:
        super().__init__(**options)
        self.min_value = min_value
        self.max_value = max_value

    def read(self, value: object) -> int:
        return strict.integer(value, minimum=self.min_value, maximum=self.max_value)


@extend_schema_field({"type": "string", "pattern": r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$", "examples": ["12.50"]})
class StrictDecimal(_Strict):
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

    def read(self, value: object) -> Decimal:
        return strict.decimal(
            value,
            max_digits=self.max_digits,
            decimal_places=self.decimal_places,
            minimum=self.min_value,
            maximum=self.max_value,
        )


@extend_schema_field(OpenApiTypes.STR)
class StrictText(_Strict):
    """Text without control characters, within a length in characters."""

    def __init__(self, *, max_length: int, min_length: int = 1, multiline: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.max_length = max_length
        self.min_length = min_length
        self.multiline = multiline

    def read(self, value: object) -> str:
        return strict.text(value, max_length=self.max_length, min_length=self.min_length, multiline=self.multiline)


@extend_schema_field(OpenApiTypes.DATETIME)
class StrictDateTime(_Strict):
    """A time with an explicit offset, given on as UTC."""

    def read(self, value: object) -> datetime:
        return strict.instant(value)


@extend_schema_field(OpenApiTypes.DATE)
class StrictDate(_Strict):
    """A calendar date."""

    def read(self, value: object) -> date:
        return strict.calendar_date(value)


@extend_schema_field({"type": "boolean"})
class StrictBoolean(_Strict):
    """JSON true or false and nothing that looks like it."""

    def read(self, value: object) -> bool:
        if type(value) is not bool:
            raise strict.Mismatch(value, "true or false")
        return value


@extend_schema_field(OpenApiTypes.STR)
class StrictChoice(_Strict):
    """One of a fixed set of texts, given on as the enum's member when `options` is a StrEnum."""

    def __init__(self, *, options: Any, **rest: Any) -> None:
        super().__init__(**rest)
        self.options = {str(option): option for option in options}

    def read(self, value: object) -> str:
        if not isinstance(value, str) or value not in self.options:
            raise strict.Mismatch(value, f"one of {', '.join(self.options)}")
        return self.options[value]  # type: ignore[no-any-return]


@extend_schema_field(OpenApiTypes.STR)
class TypedId(_Strict):
    """An id in its outside spelling, given on as a UUID; UUIDs are spelled on output."""

    def __init__(self, prefix: str, **options: Any) -> None:
        super().__init__(**options)
        self.prefix = prefix

    def read(self, value: object) -> UUID:
        try:
            return ids.parse(self.prefix, value)
        except ids.MalformedId as error:
            raise strict.Mismatch(value, f"an id such as {self.prefix}_01jd...") from error

    def to_representation(self, value: object) -> str:
        assert isinstance(value, UUID), value
        return ids.spell(self.prefix, value)
