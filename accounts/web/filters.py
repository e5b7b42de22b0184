"""Strict query parameters for lists, through django-filter."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import django_filters
from django import forms
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema_field
from rest_framework.request import Request

from accounts.foundation import ids, schemas, strict
from accounts.foundation.errors import FieldProblem, Invalid

_PAGE_PARAMETERS = frozenset({"cursor", "limit"})


class StrictFilterBackend(DjangoFilterBackend):  # type: ignore[misc]
    """Filter a list; a parameter that is unknown, repeated or malformed is refused, never ignored."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        """Return the filtered rows; raises Invalid naming every parameter that is wrong."""
        filterset = self.get_filterset(request, queryset, view)
        known = _PAGE_PARAMETERS | set(filterset.form.fields if filterset is not None else ())
        check_parameters(request, known)
        if filterset is None:
            return queryset
        if not filterset.is_valid():
            raise Invalid(
                "The query has parameters that cannot be read.",
                [
                    FieldProblem(name, " ".join(str(message) for message in messages), "query")
                    for name, messages in filterset.errors.items()
                ],
            )
        return filterset.qs  # type: ignore[no-any-return]


def check_parameters(request: Request, known: Iterable[str]) -> None:
    """Refuse query parameters that are unknown, given twice, empty or not printable."""
    names = sorted(known)
    problems = []
    for name, values in request.query_params.lists():
        if name not in names:
            expected = f"expected {', '.join(names)}" if names else "expected none"
            problems.append(FieldProblem(name[:60], f"There is no such parameter; {expected}.", "query"))
        elif len(values) > 1:
            problems.append(FieldProblem(name, f"Given {len(values)} times; expected once.", "query"))
        elif not values[0]:
            problems.append(FieldProblem(name, "Given empty; expected a value, or no such parameter.", "query"))
        elif not values[0].isprintable():
            problems.append(FieldProblem(name, "Contains characters that cannot be printed.", "query"))
    if problems:
        raise Invalid("The query has parameters that cannot be read.", problems)


class _StrictFormField(forms.Field):
    """A form field over one of the strict readers; an empty value means "not given"."""

    def read(self, text: str) -> object:
        """Return the inward value or raise strict.Mismatch."""
        raise NotImplementedError

    def to_python(self, value: Any) -> Any:
        """Return the inward value, None when nothing was given."""
        if value in self.empty_values:
            return None
        try:
            return self.read(value)
        except strict.Mismatch as error:
            raise forms.ValidationError(str(error)) from error


class _TypedIdField(_StrictFormField):
    def __init__(self, *, prefix: str, **options: Any) -> None:
        super().__init__(**options)
        self.prefix = prefix

    def read(self, text: str) -> UUID:
        try:
            return ids.parse(self.prefix, text)
        except ids.MalformedId as error:
            raise strict.Mismatch(text, f"an id such as {self.prefix}_01jd...") from error


class _ChoiceField(_StrictFormField):
    def __init__(self, *, options: Iterable[str], **rest: Any) -> None:
        super().__init__(**rest)
        self.options = [str(option) for option in options]

    def read(self, text: str) -> str:
        if text not in self.options:
            raise strict.Mismatch(text, f"one of {', '.join(self.options)}")
        return text


class _InstantField(_StrictFormField):
    def read(self, text: str) -> datetime:
        return strict.instant(text)


class _IntegerField(_StrictFormField):
    def __init__(self, *, min_value: int, max_value: int, **options: Any) -> None:
        super().__init__(**options)
        self.min_value = min_value
        self.max_value = max_value

    def read(self, text: str) -> int:
        return strict.integer_text(text, minimum=self.min_value, maximum=self.max_value)


class _TextField(_StrictFormField):
    def __init__(self, *, max_length: int = 200, **options: Any) -> None:
        super().__init__(**options)
        self.max_length = max_length

    def read(self, text: str) -> str:
        return strict.text(text, max_length=self.max_length)


class TypedIdFilter(django_filters.Filter):  # type: ignore[misc]
    """`TypedIdFilter(prefix="prj", field_name="project_id")`."""

    field_class = _TypedIdField

    def __init__(self, *, prefix: str, **options: Any) -> None:
        super().__init__(prefix=prefix, **options)
        extend_schema_field(schemas.typed_id(prefix))(self)


class ChoiceFilter(django_filters.Filter):  # type: ignore[misc]
    """`ChoiceFilter(options=OrderStatus)`."""

    field_class = _ChoiceField

    def __init__(self, *, options: Iterable[str], **rest: Any) -> None:
        super().__init__(options=options, **rest)
        extend_schema_field({"type": "string", "enum": [str(option) for option in options]})(self)


class InstantFilter(django_filters.Filter):  # type: ignore[misc]
    """A time with an offset: `InstantFilter(field_name="created_at", lookup_expr="gte")`."""

    field_class = _InstantField

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        extend_schema_field(schemas.instant())(self)


class IntegerFilter(django_filters.Filter):  # type: ignore[misc]
    """A whole number: `IntegerFilter(min_value=0, max_value=10**6)`."""

    field_class = _IntegerField

    def __init__(self, *, min_value: int, max_value: int, **options: Any) -> None:
        super().__init__(min_value=min_value, max_value=max_value, **options)
        extend_schema_field(schemas.whole_number(min_value, max_value))(self)


class TextFilter(django_filters.Filter):  # type: ignore[misc]
    """Text of at most `max_length` printable characters."""

    field_class = _TextField

    def __init__(self, *, max_length: int = 200, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)
        extend_schema_field(schemas.text(1, max_length))(self)
