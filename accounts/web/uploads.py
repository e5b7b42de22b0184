"""Files that a person hands in on a page, read as text."""

from typing import Any

from django import forms

from accounts.web.forms import StrictForm


class TextFileForm(StrictForm):
    """A form with one file of UTF-8 text; `largest` says how many bytes it may have, `file` how it is called."""

    largest = 1024 * 1024

    file = forms.FileField(max_length=120)

    def text(self) -> str:
        """Return what the valid form's file says."""
        return str(self.cleaned_data["text"])

    def name(self) -> str:
        """Return what the valid form's file is called."""
        return str(self.cleaned_data["file"].name)

    def clean(self) -> dict[str, Any]:
        """Read the file as text."""
        cleaned = super().clean() or {}
        uploaded = cleaned.get("file")
        if uploaded is None:
            return cleaned
        if uploaded.size > self.largest:
            self.add_error("file", f"The file has {uploaded.size} bytes; expected {self.largest} or fewer.")
            return cleaned
        try:
            cleaned["text"] = uploaded.read().decode("utf-8")
        except UnicodeDecodeError:
            self.add_error("file", "The file is not UTF-8 text.")
        return cleaned
