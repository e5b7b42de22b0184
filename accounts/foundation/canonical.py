"""Canonical JSON (RFC 8785) of our own documents."""

import json
import re
from typing import Any, Final

import rfc8785

# Above these characters the order of keys by UTF-16 is another one than Python's; some cannot be written at all.
_WIDE: Final = re.compile("[\ud800-\U0010ffff]")
_LONG: Final = re.compile(r"(?:^|[:,\[])-?[0-9]{16}")  # perhaps a number beyond 2^53


def dump(document: Any) -> bytes:
    """Return the canonical bytes of dicts with text as keys, lists, text, integers, booleans and None; no fractions.

    Raises rfc8785.CanonicalizationError for an integer beyond 2^53 and for text that is not Unicode. It is
    `rfc8785.dumps`, left to the encoder of the standard library where both write the same.
    """
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return rfc8785.dumps(document) if _WIDE.search(text) or _LONG.search(text) else text.encode()
