"""JSON as it may come in: bounded, unambiguous, and storable as it stands."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any, Final

from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from accounts.foundation.errors import Invalid, shown

MAXIMUM_DEPTH: Final = 32
_DEFAULT_BYTES: Final = 1024 * 1024
_LONGEST_NUMBER: Final = 40  # characters

# More than any batch has; what has more takes seconds to read.
MAXIMUM_CONTAINERS: Final = 100_000
MAXIMUM_NAMES: Final = 400_000

_STRINGS: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"')  # no line break: none is in a string of JSON
_BRACKETS: Final = re.compile(r"[\[\]{}]")
_FORBIDDEN: Final = re.compile("[\x00\ud800-\udfff]")


class BodyNotJson(Invalid):
    """The body is not JSON that is taken here."""

    code = "body_not_json"


class BodyTooLarge(Invalid):
    """The body is longer than the resource takes."""

    code = "body_too_large"

    @classmethod
    def beyond(cls, maximum: int) -> "BodyTooLarge":
        """Refuse a body of more than so many bytes."""
        return cls(f"The body is too large; expected at most {maximum} bytes.")


def check_size(text: str) -> None:
    """Refuse a document, or lines of them, with more objects, lists or names than are read at once."""
    if text.count("[") + text.count("{") <= MAXIMUM_CONTAINERS and text.count(":") <= MAXIMUM_NAMES:
        return
    structure = _STRINGS.sub("", text)
    for count, maximum, what in (
        (structure.count("[") + structure.count("{"), MAXIMUM_CONTAINERS, "objects and lists"),
        (structure.count(":"), MAXIMUM_NAMES, "names"),
    ):
        if count > maximum:
            raise BodyTooLarge(f"The body has {count} {what}; expected at most {maximum}.")


class StrictJSONParser(BaseParser):
    """Read JSON under the limits of the view (`max_body_bytes`)."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the document; raises BodyNotJson or BodyTooLarge."""
        context = parser_context or {}
        charset = _charset(media_type)
        # The framework matches a wildcard, which belongs into Accept, with every parser.
        if charset not in {"", "utf-8", "utf8"} or "*" in (media_type or ""):
            raise UnsupportedMediaType(media_type or "")
        maximum = getattr(context.get("view"), "max_body_bytes", _DEFAULT_BYTES)
        request: Request | None = context.get("request")
        announced = request.META.get("CONTENT_LENGTH", "") if request is not None else ""
        if str(announced).isdigit() and int(announced) > maximum:
            raise BodyTooLarge.beyond(maximum)
        body = stream.read(maximum + 1)
        if len(body) > maximum:
            raise BodyTooLarge.beyond(maximum)
        return self.document(body)

    def document(self, body: bytes) -> Any:
        """Return the document in a body; raises BodyNotJson or BodyTooLarge."""
        return loads(body)

    # For parsers of several documents in one body.
    check_size = staticmethod(check_size)


def _charset(media_type: str | None) -> str:
    match = re.search(r"charset\s*=\s*\"?([^\s;\"]+)", media_type or "", re.IGNORECASE)
    return match.group(1).lower() if match else ""


def loads(body: bytes) -> Any:
    """Return the document in a body of UTF-8 JSON; raises BodyNotJson or BodyTooLarge.

    Refused besides what is not JSON: a byte order mark, nesting deeper than 32, a name given twice in an object,
    NaN and infinities, exponents, numbers of more than 40 characters, NUL and lone surrogates.
    Numbers with a fraction become Decimal.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BodyNotJson(f"The body is not UTF-8 (byte {error.start}).") from error
    if text.startswith("\ufeff"):
        raise BodyNotJson("The body begins with a byte order mark; expected UTF-8 without one.")
    check_size(text)
    _check_depth(text)
    try:
        document = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise BodyNotJson(f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from error
    if "\\u" in text:  # only an escape can bring in what UTF-8 and JSON refuse as it stands
        _check_text(document)
    return document


def _check_depth(text: str) -> None:
    # Before parsing: the parser recurses, and a deep body would exhaust its stack.
    if text.count("[") + text.count("{") <= MAXIMUM_DEPTH:
        return
    depth = 0
    for bracket in _BRACKETS.finditer(_STRINGS.sub("", text)):
        depth += 1 if bracket.group() in "[{" else -1
        if depth > MAXIMUM_DEPTH:
            raise BodyNotJson(f"The body is nested too deeply; expected at most {MAXIMUM_DEPTH} levels.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise BodyNotJson(f"The name {shown(twice)} is given twice in one object.")
    return members


def _constant(text: str) -> Any:
    raise BodyNotJson(f"{text} is not a number that can be taken.")


def _whole(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise BodyNotJson(f"A number has {len(text)} characters; expected at most {_LONGEST_NUMBER}.")
    return int(text)


def _fraction(text: str) -> Decimal:
    if len(text) > _LONGEST_NUMBER or "e" in text.lower():
        raise BodyNotJson(f"The number {shown(text)} cannot be taken; expected plain digits without an exponent.")
    return Decimal(text)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_int=_whole, parse_float=_fraction
)


def _check_text(value: Any) -> None:
    if isinstance(value, str):
        if _FORBIDDEN.search(value):
            raise BodyNotJson("A text contains NUL or half of a surrogate pair.")
    elif isinstance(value, dict):
        for name, inner in value.items():
            _check_text(name)
            _check_text(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_text(inner)
