"""Checking the public documents of a round as an outsider: book, outcome and certificate, without a database.

Nothing of the engine is used: the rules are those of ``verify``, the bound is that of ``proof``. Whatever the files
hold, the answer is a list of what is wrong with them, or Unreadable says why there is nothing to check.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exchange.clearing import book as books
from exchange.clearing import canonical_json, parsing, proof, verify
from exchange.clearing.book import Book
from exchange.clearing.errors import BookError
from exchange.clearing.violations import Code, Report

# Welfare and bounds are sums of products of 64-bit integers; no market needs this many digits.
INTEGER_CHARACTERS = 60


class Unreadable(ValueError):
    """A file that is not JSON, or not a book."""

    def __init__(self, document: str, error: BookError) -> None:
        super().__init__(f"the {document} cannot be read: {error}")


@dataclass(frozen=True)
class ProvenVector:
    """A price vector of a certificate: the bound that it claims (None where it does not) and the one it proves."""

    name: str
    claimed: int | None
    proven: int


@dataclass(frozen=True)
class Findings:
    """What a check found. Welfare and digest of the outcome are None where the document is not well formed."""

    report: Report
    book_digest: str
    outcome_digest: str | None
    welfare: int | None
    bound: int | None
    vectors: tuple[ProvenVector, ...]
    certificate_faults: tuple[str, ...]

    @property
    def proven_bound(self) -> int | None:
        """The best bound that the certificate proves; None where there is no certificate to prove anything."""
        return min((vector.proven for vector in self.vectors), default=None)

    @property
    def is_legal(self) -> bool:
        """Whether no hard rule is broken, and a certificate proves whatever is claimed."""
        return not self.report.hard and not self.certificate_faults


def check(book_source: bytes, outcome_source: bytes, certificate_source: bytes | None = None) -> Findings:
    """Check an outcome and its certificate against their book; raises Unreadable."""
    try:
        book = parsing.parse_book(book_source)
    except BookError as error:
        raise Unreadable("book", error) from error
    outcome = _decoded("outcome", outcome_source)
    if certificate_source is None:
        return check_documents(book, outcome)
    certificate = _decoded("certificate", certificate_source)
    # An empty document is a certificate that proves nothing, not the absence of one.
    return check_documents(book, outcome, {} if certificate is None else certificate)


def _decoded(document: str, source: bytes) -> object:
    try:
        return parsing.load_json(source, integer_characters=INTEGER_CHARACTERS)
    except BookError as error:
        raise Unreadable(document, error) from error


def check_documents(book: Book, outcome: object, certificate: object | None = None) -> Findings:
    """Check decoded documents; see ``check``."""
    report = verify.verify(book, outcome)
    fields = outcome if isinstance(outcome, dict) and not _is_malformed(report) else None
    bound = fields.get("bound") if fields else None
    vectors, faults = ((), ()) if certificate is None else _prove(book, certificate)
    best = min((vector.proven for vector in vectors), default=None)
    if best is not None and bound is not None and bound < best:
        faults = (*faults, f"the outcome claims the bound {bound}, and no vector proves less than {best}")
    return Findings(
        report=report,
        book_digest=books.digest(book),
        outcome_digest=hashlib.sha256(canonical_json.dump(fields)).hexdigest() if fields else None,
        welfare=_welfare(book, fields) if fields else None,
        bound=bound,
        vectors=vectors,
        certificate_faults=faults,
    )


def _is_malformed(report: Report) -> bool:
    return any(violation.code is Code.FORMAT for violation in report.violations)


def _welfare(book: Book, outcome: Mapping[str, Any]) -> int:
    limits = {order.id: order.limit for order in book.orders}
    reserves = {offer.id: offer.reserve for offer in book.offers}
    return sum(
        (limits[trade["order"]] - reserves[trade["offer"]]) * trade["qty"] * (trade["t1"] - trade["t0"])
        for trade in outcome["trades"]  # verify has read them: the ids are known and the numbers are integers
    )


def _prove(book: Book, certificate: object) -> tuple[tuple[ProvenVector, ...], tuple[str, ...]]:
    """Recompute the bound of every vector; return them with what the certificate claims and does not prove."""
    if not isinstance(certificate, dict):
        return (), ("the certificate is not an object",)
    vectors: list[ProvenVector] = []
    faults: list[str] = []
    for name, value in sorted(certificate.items()):
        if name == "bound":
            continue
        if not isinstance(value, dict) or "prices" not in value:
            faults.append(f"/{name} is not a vector of prices")
            continue
        runs, wrong = verify.read_prices(book, value["prices"])
        faults += [f"/{name}{fault}" for fault in wrong]
        claimed = _claim(value, f"/{name}/bound", faults)
        if not wrong:
            vectors.append(ProvenVector(name, claimed, proof.upper_bound(book, runs)))
    if not vectors and not faults:
        faults.append("the certificate holds no vector of prices")
    faults += [
        f"the vector {vector.name} claims the bound {vector.claimed} and proves {vector.proven}"
        for vector in vectors
        if vector.claimed is not None and vector.claimed < vector.proven
    ]
    claimed, best = _claim(certificate, "/bound", faults), min((vector.proven for vector in vectors), default=None)
    if claimed is not None and best is not None and claimed < best:
        faults.append(f"the certificate claims the bound {claimed}, and no vector proves less than {best}")
    return tuple(vectors), tuple(faults)


def _claim(fields: Mapping[str, object], at: str, faults: list[str]) -> int | None:
    value = fields.get("bound")
    if "bound" in fields and type(value) is not int:  # bool is an int to Python, never to a certificate
        faults.append(f"{at} is {value!r}, not an integer")
    return value if type(value) is int else None
