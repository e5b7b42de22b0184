"""Path converters: `path("orders/<ord:order_id>", ...)` passes a UUID, `<code:market_code>` a code.

A malformed id or code matches no route, so it is answered like one that does not exist.
"""

from uuid import UUID

from django.urls import register_converter
from django.urls.converters import get_converters

from accounts.foundation import ids


class TypedIdConverter:
    """Between the outside spelling of an id and its UUID; one subclass for each prefix."""

    prefix: str
    regex = "[a-z]{3}_[0-9a-z]{26}"

    def to_python(self, value: str) -> UUID:
        """Return the id; raises ValueError, which Django reads as "no match"."""
        try:
            return ids.parse(self.prefix, value)
        except ids.MalformedId as error:
            raise ValueError(value) from error

    def to_url(self, value: UUID) -> str:
        """Return the spelling that goes into an address."""
        return ids.spell(self.prefix, value)


class CodeConverter:
    """A code that people gave, such as a market's: letters, digits and `. _ -`."""

    regex = "[A-Za-z0-9][A-Za-z0-9._-]{0,79}"

    def to_python(self, value: str) -> str:
        """Return the code."""
        return value

    def to_url(self, value: str) -> str:
        """Return the code."""
        return value


def register() -> None:
    """Make "code" and every prefix of `ids.PREFIXES` a path converter; calling it again changes nothing."""
    known = get_converters()
    if "code" not in known:
        register_converter(CodeConverter, "code")
    for prefix in ids.PREFIXES:
        if prefix not in known:
            register_converter(type(f"{prefix.title()}Converter", (TypedIdConverter,), {"prefix": prefix}), prefix)
