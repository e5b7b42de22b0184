"""Shapes in and out. Input and output are different classes."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.foundation import ids
from accounts.foundation.errors import mismatch


class InputSerializer(serializers.Serializer[Any]):
    """A body, or an object within one. Fields it does not know are refused, so a typing error is never ignored."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the validated fields; unknown ones are a problem each."""
        if not isinstance(data, Mapping):
            raise serializers.ValidationError({"non_field_errors": [mismatch(data, "an object")]})
        known = self.fields
        unknown = {
            name: [f"There is no such field; expected {', '.join(known) or 'no field'}."]
            for name in data
            if name not in known
        }
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            details = error.detail if isinstance(error.detail, dict) else {}
            raise serializers.ValidationError({**details, **unknown}) from error
        if unknown:
            raise serializers.ValidationError(unknown)
        return values


class Nothing(InputSerializer):
    """An empty object: the address says it all."""


class OutputSerializer(serializers.Serializer[Any]):
    """An answer. Only reads."""


@extend_schema_field(OpenApiTypes.STR)
class SpelledId(serializers.Field[UUID, Any, str, Any]):
    """An id in its outside spelling: `SpelledId("ord")`, or `SpelledId("org", source="buyer_id")`."""

    def __init__(self, prefix: str, **options: Any) -> None:
        super().__init__(read_only=True, **options)
        self.prefix = prefix

    def to_representation(self, value: UUID) -> str:
        """Return the spelling."""
        return ids.spell(self.prefix, value)
