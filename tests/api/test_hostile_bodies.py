"""JSON that is broken, ambiguous or too deep is answered with 400 by every address that reads one."""

import json
from decimal import Decimal
from typing import Any

import pytest
from django.urls import resolve
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIRequestFactory, force_authenticate

from accounts.actors.actor import Actor, Capability
from accounts.organisations.models import Organisation
from config import parsing
from config.parsing import BodyNotJson, BodyTooLarge
from tests.api.routes import Route, api_routes

HOSTILE = {
    "cut off": b'{"a": 1',
    "comma at the end": b'{"a": 1,}',
    "two documents": b"{} {}",
    "comment": b"{} // yes",
    "single quotes": b"{'a': 1}",
    "bare word": b"{a: 1}",
    "nothing but space": b"  ",
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": -Infinity}',
    "too large a float": b'{"a": 1e999}',
    "exponent": b'{"a": 1e3}',
    "leading zero": b'{"a": 01}',
    "plus sign": b'{"a": +1}',
    "number without end": b'{"a": ' + b"9" * 5000 + b"}",
    "the same name twice": b'{"a": 1, "a": 2}',
    "the same name twice, escaped": b'{"a": 1, "\\u0061": 2}',
    "NUL escaped": b'{"a": "\\u0000"}',
    "NUL in a name": b'{"\\u0000": 1}',
    "NUL in a list": b'{"a": ["\\u0000"]}',
    "NUL raw": b'{"a": "\x00"}',
    "newline raw": b'{"a": "\n"}',
    "half a surrogate pair": b'{"a": "\\ud800"}',
    "surrogates the wrong way round": b'{"a": "\\udc00\\ud800"}',
    "not UTF-8": b'{"a": "\xff"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"a": 1}',
    "overlong UTF-8": b'{"a": "\xc0\xaf"}',
    "a hundred thousand lists": b"[" * 100_000,
    "a hundred thousand objects": b'{"a":' * 100_000,
    "deeper than the limit": b"[" * 33 + b"]" * 33,
    "larger than the limit": b'{"a": "' + b"x" * (11 * 1024 * 1024) + b'"}',
}


def _reading() -> list[Route]:
    return [route for route in api_routes() if {"POST", "PUT", "PATCH"} & set(route.view.inputs)]


@pytest.mark.parametrize("what", HOSTILE)
def test_every_address_that_reads_a_body_refuses_it(lab: Organisation, what: str) -> None:
    actor = Actor(lab.id, None, None, frozenset(Capability), "test")
    routes = _reading()
    assert routes

    for route in routes:
        for method in {"POST", "PUT", "PATCH"} & set(route.view.inputs):
            for media_type in {parser.media_type for parser in route.view.parser_classes}:
                response = _send(route, method, HOSTILE[what], media_type, actor)
                assert response.status_code == 400, (route.pattern, media_type, response.status_code)
                assert response["Content-Type"] == "application/problem+json"


def _send(route: Route, method: str, body: bytes, media_type: str, actor: Actor) -> Any:
    # DRF's stubs want text here; its code, like Django's, takes bytes.
    factory: Any = APIRequestFactory()
    request = factory.generic(method, route.path, body, content_type=media_type, headers={"Idempotency-Key": "hostile"})
    force_authenticate(request, token=actor)  # type: ignore[arg-type]
    match = resolve(route.path)
    response = route.callback(request, **match.kwargs)
    return response if response.streaming or not hasattr(response, "render") else response.render()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**63), max_value=2**63)
    | st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=5), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(JSON, st.booleans())
def test_what_is_plain_json_is_read_like_everybody_reads_it(document: Any, ascii_only: bool) -> None:
    body = json.dumps(document, ensure_ascii=ascii_only).encode()

    assert parsing.loads(body) == json.loads(body)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        parsing.loads(body)
    except BodyNotJson:
        return


def test_fractions_are_exact() -> None:
    assert parsing.loads(b'{"a": 0.1}') == {"a": Decimal("0.1")}


def test_depth_counts_brackets_outside_of_texts_only() -> None:
    text = "[" * 200 + '\\"{'

    assert parsing.loads(json.dumps([text]).encode()) == [text]
    assert parsing.loads(b"[" * 32 + b"]" * 32)


def test_more_objects_or_names_than_can_be_read_at_once_are_refused_before_they_are() -> None:
    many = b"[" + b",".join([b"{}"] * parsing.MAXIMUM_CONTAINERS) + b"]"
    names = b"{" + b",".join(b'"%d":1' % n for n in range(parsing.MAXIMUM_NAMES + 1)) + b"}"

    for body, what in ((many, "100001 objects and lists"), (names, "400001 names")):
        with pytest.raises(BodyTooLarge, match=what):
            parsing.loads(body)
    text = "[:" * parsing.MAXIMUM_NAMES
    assert parsing.loads(json.dumps([text]).encode()) == [text]


@pytest.mark.parametrize(
    ("header", "value"), [("Content-Encoding", "gzip"), ("Content-Encoding", "br"), ("Transfer-Encoding", "chunked")]
)
def test_a_body_that_is_packed_or_of_unknown_length_is_refused_by_the_name_of_its_header(
    lab: Organisation, header: str, value: str
) -> None:
    factory: Any = APIRequestFactory()
    request = factory.generic("POST", "/v1/orders", b"\x1f\x8b", content_type="application/json")
    request.META["HTTP_" + header.upper().replace("-", "_")] = value
    if header == "Transfer-Encoding":
        del request.META["CONTENT_LENGTH"]
    force_authenticate(request, token=Actor(lab.id, None, None, frozenset(Capability), "test"))  # type: ignore[arg-type]
    request.META["HTTP_IDEMPOTENCY_KEY"] = "packed"
    response = resolve("/v1/orders").func(request)

    problem = json.loads(response.render().content)
    assert response.status_code == 400
    assert problem["errors"][0]["header"] == header
    assert value in problem["detail"]
