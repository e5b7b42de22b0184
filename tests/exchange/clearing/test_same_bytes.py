"""One book, one result: whatever the order of its rows, the process, and the seed of its hashes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.books import adversarial, tiny
from benchmarks.books.dice import Dice
from exchange.clearing import engine
from exchange.clearing.book import Book, Needs
from tests.exchange.clearing import cast

ROOT = Path(__file__).parents[3]
SCRIPT = """
import hashlib, json, sys
from pathlib import Path
from exchange.clearing import canonical_json, engine, parsing
for path in sorted(Path(sys.argv[1]).glob("*.json")):
    result = engine.clear(parsing.parse_book(path.read_bytes()))
    told = [result.outcome.to_document(), result.certificate.to_document(), result.record_document()]
    print(path.stem, result.stats.method, hashlib.sha256(canonical_json.dump(told)).hexdigest())
"""


def divisible() -> Book:
    """Return hourly orders for two cells, as the fast path takes them."""
    dice = Dice(5)
    return Book(
        (cast.cell("a", model="a"), cast.cell("b", model="b")),
        tuple(
            cast.offer(f"s{at}", seq=1, cell=dice.pick("ab"), t1=dice.between(1, 6), qty=2, reserve=dice.below(9))
            for at in range(20)
        ),
        tuple(
            cast.hourly(
                f"b{at}",
                seq=2,
                limit=dice.below(12),
                qty=3,
                t1=dice.between(1, 6),
                needs=Needs(model=(dice.pick("ab"),)),
            )
            for at in range(20)
        ),
    )


def shuffled(book: Book, dice: Dice) -> dict[str, object]:
    """Return the document of a book with its rows, and the keys of its objects, in another order."""
    document: dict[str, object] = json.loads(book.canonical_bytes())
    for section in ("cells", "offers", "orders"):
        rows = document[section]
        assert isinstance(rows, list)
        document[section] = [dict(dice.shuffled(list(row.items()))) for row in dice.shuffled(rows)]
    return dict(dice.shuffled(list(document.items())))


@pytest.fixture
def books() -> dict[str, Book]:
    """Return books of every order type and for every way of searching."""
    found = {f"tiny-{family}": tiny.book(family, 11) for family in tiny.FAMILIES}
    found |= {family: adversarial.FAMILIES[family](8, 3) for family in ("all_ties", "every_kind", "budgets")}
    return found | {"divisible": divisible()}


def test_other_rows_processes_and_hash_seeds_give_the_same_outcome_certificate_and_record(
    books: dict[str, Book], tmp_path: Path
) -> None:
    said = []
    for seed in (1, 2):
        folder = tmp_path / str(seed)
        folder.mkdir()
        for name, book in books.items():
            (folder / f"{name}.json").write_text(json.dumps(shuffled(book, Dice(seed))))
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(folder)],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
        said.append(done.stdout.splitlines())

    assert said[0] == said[1]
    assert len(said[0]) == len(books)
    assert {line.split()[1] for line in said[0] if line.startswith("divisible")} == {"divisible"}


def test_a_shuffled_divisible_book_gives_the_same_bytes() -> None:
    book, dice = divisible(), Dice(1)
    expected = engine.clear(book).outcome.canonical_bytes()
    for _ in range(5):
        other = Book(
            tuple(dice.shuffled(book.cells)), tuple(dice.shuffled(book.offers)), tuple(dice.shuffled(book.orders))
        )
        assert engine.clear(other).outcome.canonical_bytes() == expected
