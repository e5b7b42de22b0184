"""Blinding: what can be checked stays, what tells a member or ties rounds together goes."""

import json
from dataclasses import replace
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from accounts.foundation import ids
from benchmarks.books import tiny
from exchange.clearing import checking, engine, parsing
from exchange.clearing.book import Book
from exchange.rounds import publication

SALT: Final = bytes(range(32))


def with_our_ids(book: Book) -> Book:
    """Return the book with ids as the exchange spells them; each second row is a part of the one before."""

    def part(prefix: str, index: int) -> str:
        whole = ids.spell(prefix, ids.new_id())
        return f"{whole}.{index}" if index % 2 else whole

    return parsing.make_book(
        cells=book.cells,
        offers=[
            replace(row, id=part("off", at), provider=ids.spell("org", ids.new_id()))
            for at, row in enumerate(book.offers)
        ],
        orders=[
            replace(row, id=part("ord", at), buyer=ids.spell("org", ids.new_id())) for at, row in enumerate(book.orders)
        ],
        grid=book.grid,
    )


@given(st.sampled_from(["mixed", "ties", "steep", "mixes"]), st.integers(0, 10**6))
def test_clearing_the_public_book_gives_the_public_outcome_and_both_are_sound(family: str, seed: int) -> None:
    book = with_our_ids(tiny.book(family, seed))
    result = engine.clear(book)
    public_book = publication.book(book.to_document(), SALT)
    public_outcome = publication.outcome(result.outcome.canonical_bytes().decode(), SALT)
    again = engine.clear(parsing.parse_book(public_book.text))
    assert again.outcome.canonical_bytes() == public_outcome.text
    assert again.book_digest == public_book.digest
    found = checking.check(public_book.text, public_outcome.text, json.dumps(result.certificate.to_document()).encode())
    assert found.is_legal
    assert found.outcome_digest == public_outcome.digest
    assert len(found.report.strict) == len(result.residuals)
    text = (public_book.text + public_outcome.text).decode()
    known = [row.id for row in book.offers] + [row.id for row in book.orders]
    assert [name for name in known if name.partition(".")[0] in text] == []


def test_names_are_of_one_round_and_cannot_be_made_without_its_secret() -> None:
    name = ids.spell("org", ids.new_id())
    assert publication.blind(SALT, name) == publication.blind(SALT, name)
    assert publication.blind(SALT, name) != publication.blind(bytes(32), name)
    assert publication.blind(SALT, name).startswith("org_")


def test_entry_numbers_become_ranks_and_a_member_has_one_name_on_both_sides() -> None:
    book = with_our_ids(tiny.book("mixed", 5))
    both = ids.spell("org", ids.new_id())
    book = parsing.make_book(
        cells=book.cells,
        offers=[replace(row, seq=row.seq * 1_000 + 7, provider=both) for row in book.offers],
        orders=[replace(row, seq=row.seq * 1_000 + 9, buyer=both) for row in book.orders],
    )
    public = json.loads(publication.book(book.to_document(), SALT).text)
    assert [row["seq"] for row in public["offers"]] == list(range(1, len(book.offers) + 1))
    assert [row["seq"] for row in public["orders"]] == list(range(1, len(book.orders) + 1))
    names = {row["provider"] for row in public["offers"]} | {row["buyer"] for row in public["orders"]}
    assert names == {publication.blind(SALT, both)}


def test_budgets_are_of_blinded_members() -> None:
    book = next(book for seed in range(100) if (book := tiny.book("budgets", seed)).budgets)
    public = json.loads(publication.book(book.to_document(), SALT).text)
    assert public["budgets"] == {publication.blind(SALT, buyer): amount for buyer, amount in book.budgets.items()}


def test_residuals_name_rows_by_their_public_names() -> None:
    order, offer = ids.spell("ord", ids.new_id()), f"{ids.spell('off', ids.new_id())}.-24"
    record = {"residuals": [{"code": "PR_BUY", "message": f"order {order} is unmet, offer {offer} has cards"}]}
    (shown,) = publication.residuals(record, SALT)
    assert shown["message"] == (
        f"order {publication.blind(SALT, order)} is unmet, offer {publication.blind(SALT, offer)} has cards"
    )
