"""Forms that read what a person typed as strictly as the API reads JSON, and show a refusal beside its field."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.foundation import strict
from accounts.foundation.errors import DomainError, Invalid

# Where the desks of the exchange stand; what is stored is UTC.
DESK_ZONE: Final = ZoneInfo("Asia/Shanghai")


class StrictForm(forms.Form):
    """A form whose refusals, its own or a service's, stand beside the field and are announced to screen readers.

    `fields_by_pointer` says which field a service's JSON Pointer means where the names differ.
    """

    fields_by_pointer: ClassVar[Mapping[str, str]] = {}
    use_required_attribute = False  # the server's sentence says more than the browser's

    def refuse(self, error: DomainError) -> None:
        """Show a service's refusal: each problem beside its field, the rest on top."""
        for problem in error.problems:
            # A problem whose field is not on the page stands on top.
            self.add_error(self._field_of(problem.pointer), problem.detail)
        if not error.problems:
            self.add_error(None, error.detail)

    def offer_rows(self, name: str, rows: QuerySet[Any]) -> None:
        """Let a field choose among these rows."""
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = rows

    def _field_of(self, pointer: str) -> str | None:
        for known, field in self.fields_by_pointer.items():
            if pointer == known or pointer.startswith(f"{known}/"):
                return field
        name = pointer.lstrip("/").split("/")[0]
        return name if name in self.fields else None


def reason_of(request: HttpRequest, *, most: int) -> str:
    """Return the reason that somebody gave beside a button, in one line; `most` counts its characters.

    Raises Invalid.
    """
    reason = " ".join(request.POST.get("reason", "").split())
    if not 1 <= len(reason) <= most or not reason.isprintable():
        raise Invalid(_("Say why, in at most %(most)s characters.") % {"most": most})
    return reason


class _StrictField(forms.CharField):
    """A text field read by one of the strict readers; empty is None where it may be."""

    def __init__(self, *, read: Callable[[str], Any], **options: Any) -> None:
        super().__init__(**options)
        self._read = read

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            return self._read(text)
        except strict.Mismatch as mismatch:
            raise forms.ValidationError(str(mismatch)) from mismatch


class WholeNumber(_StrictField):
    """A whole number in ASCII digits within bounds, both included."""

    def __init__(self, *, minimum: int, maximum: int, **options: Any) -> None:
        options.setdefault("widget", forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}))
        super().__init__(
            read=lambda text: strict.integer_text(text, minimum=minimum, maximum=maximum), max_length=20, **options
        )


class PlainDecimal(_StrictField):
    """A plain decimal such as 12.50, as Decimal."""

    def __init__(
        self,
        *,
        max_digits: int,
        decimal_places: int,
        minimum: Decimal | None = None,
        maximum: Decimal | None = None,
        **options: Any,
    ) -> None:
        options.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}))
        super().__init__(
            read=lambda text: strict.decimal_text(
                text, max_digits=max_digits, decimal_places=decimal_places, minimum=minimum, maximum=maximum
            ),
            max_length=40,
            **options,
        )


class StrictText(_StrictField):
    """Printable text; `read` may turn it into something else, such as a date."""

    def __init__(self, *, max_length: int, read: Callable[[str], Any] | None = None, **options: Any) -> None:
        options.setdefault("widget", forms.TextInput(attrs={"autocomplete": "off"}))
        super().__init__(
            read=read or (lambda text: strict.text(text, max_length=max_length)), max_length=max_length, **options
        )


class NamedChoiceField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not subscriptable at run time
    """A choice among rows, shown by their names; the rows are set when the form is made."""

    def __init__(self, **options: Any) -> None:
        super().__init__(queryset=None, empty_label=None, **options)

    def label_from_instance(self, obj: Any) -> str:
        """Return the row's name."""
        return str(obj.name)


class DeskTime(_StrictField):
    """A date and time in Asia/Shanghai, as an instant in UTC."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"))
        super().__init__(read=_desk_time, max_length=32, **options)

    def prepare_value(self, value: Any) -> Any:
        """Show an instant as the desk's wall clock."""
        return value.astimezone(DESK_ZONE).strftime("%Y-%m-%dT%H:%M") if isinstance(value, datetime) else value


def _desk_time(text: str) -> datetime:
    # The zone has had no clock changes since 1991, so a wall time there is one instant.
    return strict.instant(f"{text}+08:00").astimezone(UTC)
