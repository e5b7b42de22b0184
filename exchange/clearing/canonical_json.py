"""Canonical JSON: one value, one spelling.

The rules of RFC 8785 (keys in UTF-16 order, no blanks, shortest escapes) with one difference: numbers are integers
of any size and are written in full, because a price or a budget may pass 2^53.
"""

import json

# Most objects and lists hold nothing but these, which have nothing to put in order.
_LEAVES = frozenset({str, int, bool, type(None)})


def dump(value: object) -> bytes:
    """Return the canonical UTF-8 bytes of a value made of dicts, lists, strings, integers, booleans and None."""
    return json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _ordered(value: object) -> object:
    if isinstance(value, dict):
        # Plain keys have one order, whatever counts as a character.
        keys = sorted(value) if "".join(value).isascii() else sorted(value, key=_utf16)
        if _LEAVES.issuperset(map(type, value.values())):
            return {key: value[key] for key in keys}
        return {key: _ordered(value[key]) for key in keys}
    if isinstance(value, list | tuple):
        return value if _LEAVES.issuperset(map(type, value)) else [_ordered(item) for item in value]
    assert value is None or isinstance(value, str | int), value
    return value


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be")
