"""Canonical JSON: one value, one spelling.

The rules of RFC 8785 (keys in UTF-16 order, no blanks, shortest escapes) with one difference: numbers are integers
of any size and are written in full, because a price or a budget may pass 2^53.
"""

import json


def dump(value: object) -> bytes:
    """Return the canonical UTF-8 bytes of a value made of dicts, lists, strings, integers, booleans and None."""
    return json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _ordered(value: object) -> object:
    if isinstance(value, dict):
        # Plain keys have one order, whatever counts as a character.
        plain = "".join(value).isascii()
        return {key: _ordered(value[key]) for key in (sorted(value) if plain else sorted(value, key=_utf16))}
    if isinstance(value, list | tuple):
        return [_ordered(item) for item in value]
    assert value is None or isinstance(value, str | int), value
    return value


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be")
