"""Files that a person hands in on a page, read as text: UTF-8, or what a mark or an XML declaration says."""

import codecs
import re
from typing import Any, Final

from django import forms

from accounts.web.forms import StrictForm

_MARKS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# What banks and accounting programs write beside UTF-8, by the names that XML gives them.
_DECLARED: Final = re.compile(rb"""^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,20})["']""")
_READABLE: Final = {"gbk": "gbk", "gb2312": "gb2312", "gb18030": "gb18030", "iso-8859-1": "latin-1", "big5": "big5"}


class _NotText(ValueError):
    """A sentence about what was seen and what was expected."""


class TextFileForm(StrictForm):
    """A form with one file of text (see `decoded`); `largest` is its most bytes, and `file` says how it is called."""

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
            cleaned["text"] = decoded(uploaded.read())
        except _NotText as error:
            self.add_error("file", str(error))
        return cleaned


def decoded(raw: bytes) -> str:
    """Return the text of a file by its byte order mark, as UTF-8, or by the encoding that its XML declares.

    Nothing is guessed: another encoding that nothing names is refused with the byte where it is seen, and so is a
    file that says one encoding and can be read as UTF-8, too, for one of both readings would be wrong.
    """
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return _read(raw[len(mark) :], encoding, skipped=len(mark))
    found = _DECLARED.match(raw[:200])
    said = found.group(1).decode().lower() if found else "utf-8"
    if said not in _READABLE or raw.isascii():
        return _read(raw, "utf-8")
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return _read(raw, _READABLE[said])
    raise _NotText(f"The file says that it is {said.upper()} and can be read as UTF-8, too; expected UTF-8 text.")


def _read(raw: bytes, encoding: str, *, skipped: int = 0) -> str:
    name = encoding.upper()
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        place = _place(raw, error.start, skipped)
        raise _NotText(f"The file is not {name}: {place} is 0x{raw[error.start]:02X}; expected UTF-8 text.") from error
    if "\x00" in text:
        place = _place(raw, raw.index(0), skipped)
        raise _NotText(f"The file is not {name} text: {place} is 0x00; expected UTF-8, or UTF-16 with a mark.")
    return text


def _place(raw: bytes, at: int, skipped: int) -> str:
    line_number = raw.count(b"\n", 0, at) + 1
    return f"byte {at + skipped + 1} (line {line_number})"
