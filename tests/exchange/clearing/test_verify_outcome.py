"""``manage.py verify_outcome``: what it says of sound, damaged and hostile documents."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any, Final

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from exchange.clearing import canonical_json, checking, engine
from exchange.clearing.violations import Code
from tests.exchange.clearing.cast import paradox, story

RESULT: Final = engine.clear(story())
OUTCOME: Final = json.dumps(RESULT.outcome.to_document())
CERTIFICATE: Final = json.dumps(RESULT.certificate.to_document())


def run(folder: Path, outcome: bytes, certificate: bytes | None = None, *options: str) -> str:
    """Run the command on the story's book and return what it printed."""
    paths = [folder / "book.json", folder / "outcome.json"]
    paths[0].write_bytes(story().canonical_bytes())
    paths[1].write_bytes(outcome)
    arguments = [*map(str, paths), *options]
    if certificate is not None:
        (folder / "certificate.json").write_bytes(certificate)
        arguments += ["--certificate", str(folder / "certificate.json")]
    printed = StringIO()
    try:
        call_command("verify_outcome", *arguments, stdout=printed)
    except CommandError as error:
        return f"{printed.getvalue()}{error} (exit {error.returncode})"
    return printed.getvalue()


def changed(source: str, change: Callable[[dict[str, Any]], object]) -> bytes:
    """Return a document with one thing done to it."""
    document = json.loads(source)
    change(document)
    return json.dumps(document).encode()


def test_a_sound_outcome_passes_with_its_welfare_its_bound_and_its_digests(tmp_path: Path) -> None:
    said = run(tmp_path, OUTCOME.encode(), CERTIFICATE.encode(), "--strict")
    assert said.splitlines() == [
        f"book      SHA-256 {RESULT.book_digest}",
        f"outcome   SHA-256 {RESULT.outcome.digest()}",
        "hard      every hard rule is met",
        "strict    every strict rule is met",
        "welfare   1872000000",
        "bound     1872000000 claimed, 1872000000 proven by the certificate",
        "          duals proves 1872000000, claims 1872000000",
        "          settlement proves 1872000000, claims 1872000000",
    ]


def test_an_empty_certificate_is_not_the_absence_of_one(tmp_path: Path) -> None:
    assert "the certificate holds no vector of prices" in run(tmp_path, OUTCOME.encode(), b"null")


def test_without_a_certificate_the_bound_is_said_to_be_unchecked(tmp_path: Path) -> None:
    assert "1872000000 claimed, not checked: no certificate" in run(tmp_path, OUTCOME.encode())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda o: o.update(welfare=1), "WELFARE: the claim is 1, the trades give 1872000000"),
        (lambda o: o["trades"][0].update(qty=17), "OVERSELL"),
        (lambda o: o["trades"].pop(), "WELFARE"),
        (lambda o: o["prices"].clear(), "PRICE"),
        (lambda o: o["trades"][0].update(order="nobody"), "FORMAT: /trades/0/order is 'nobody'"),
        (lambda o: o["trades"][0].update(qty=1.5), "FORMAT: /trades/0/qty is 1.5, not an integer from 1"),
        (lambda o: o["trades"][0].update(qty=True), "FORMAT: /trades/0/qty is True"),
        (lambda o: o.update(note="x"), "FORMAT: /note is not known"),
    ],
)
def test_a_damaged_outcome_is_named_by_code_and_ends_with_1(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    text = run(tmp_path, changed(OUTCOME, change))
    assert said in text
    assert text.endswith("The outcome does not stand. (exit 1)")


def test_strict_rules_stand_apart_and_fail_only_on_request(tmp_path: Path) -> None:
    # S2 sells from 08 to 20 at 10.00. At 10.50 its spare cards would have been worth selling, and nobody is hurt.
    def dearer(document: dict[str, Any]) -> None:
        for runs in document["prices"].values():
            for price in runs:
                price[2] = 10_500_000
        for trade in document["trades"]:
            del trade["price"]

    said = run(tmp_path, changed(OUTCOME, dearer))
    assert "hard      every hard rule is met" in said
    assert "strict    PR_SELL" in said
    assert "exit" not in said
    assert run(tmp_path, changed(OUTCOME, dearer), None, "--strict").endswith("not strict. (exit 1)")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c["duals"].update(bound=1), "the vector duals claims the bound 1 and proves"),
        (lambda c: c.update(bound=1), "the certificate claims the bound 1"),
        (lambda c: c["duals"].update(bound=True), "/duals/bound is True, not an integer"),
        (lambda c: c.update(duals=3), "/duals is not a vector of prices"),
        (lambda c: c["duals"]["prices"].update(nowhere=[]), "/duals/prices/nowhere is not a cell of the book"),
        (lambda c: c.clear(), "the certificate holds no vector of prices"),
        # Prices of zero prove little: less than what the outcome claims is not proven any more.
        (
            lambda c: [c.pop("settlement"), c.pop("bound"), c.update(duals={"prices": {}})],
            "the outcome claims the bound 1872000000, and no vector proves less than",
        ),
    ],
)
def test_a_certificate_that_does_not_prove_its_claims_fails(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    text = run(tmp_path, OUTCOME.encode(), changed(CERTIFICATE, change))
    assert f"CERTIFICATE: {said}" in text
    assert text.endswith("The outcome does not stand. (exit 1)")


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"prices": {}, "trades": [], "welfare": ' + b"9" * 5_000 + b"}",
        b'{"prices": {}, "trades": [], "trades": []}',
        b'{"prices": {"\\ud800": [[0, 1, 2]]}, "trades": [{"order": "\\ud800\\u001b[31m"}]}',
        b'{"prices": {"a": [[0, 99999999999999999999999, 1]]}, "trades": [7, null, [], {}]}',
        b'{"prices": [], "trades": {}, "welfare": NaN, "bound": 1e9}',
    ],
)
def test_hostile_documents_get_a_sentence(tmp_path: Path, hostile: bytes) -> None:
    for text in (
        run(tmp_path, hostile),
        run(tmp_path, OUTCOME.encode(), hostile if hostile != b"null" else b"7"),
    ):
        assert text.endswith("(exit 1)")
        assert "\x1b" not in text


def test_a_book_that_is_none_and_a_file_that_is_missing_are_said(tmp_path: Path) -> None:
    (tmp_path / "book.json").write_text("{}")
    (tmp_path / "outcome.json").write_text(OUTCOME)
    with pytest.raises(CommandError, match="the book cannot be read: /cells"):
        call_command("verify_outcome", str(tmp_path / "book.json"), str(tmp_path / "outcome.json"))
    with pytest.raises(CommandError, match=r"nothing\.json: No such file"):
        call_command("verify_outcome", str(tmp_path / "nothing.json"), str(tmp_path / "outcome.json"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 20) | st.floats(allow_nan=False) | st.sampled_from(["c", "s1", ""]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["prices", "trades", "bound", "duals", "qty", "t0"]), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON, JSON)
def test_any_two_documents_are_judged_without_a_fault_of_ours(outcome: object, certificate: object) -> None:
    found = checking.check_documents(story(), outcome, certificate)
    assert found.is_legal in {True, False}


def test_long_welfare_is_read_and_the_digest_is_that_of_the_canonical_text() -> None:
    book = paradox()
    outcome = {"prices": {}, "trades": [], "welfare": 0, "bound": 10**30}
    found = checking.check(book.canonical_bytes(), json.dumps(outcome).encode())
    assert found.report.hard == ()
    assert found.bound == 10**30
    spaced = checking.check(book.canonical_bytes(), json.dumps(outcome, indent=4).encode())
    assert found.outcome_digest == spaced.outcome_digest
    assert canonical_json.dump(outcome)
    assert Code.FORMAT not in {violation.code for violation in found.report.violations}
