"""Statements as CAMT.053 (ISO 20022, any version): one statement of one account, booked entries.

Read with a parser that refuses document types and entities before it expands any, and bounds depth and size.
"""

from dataclasses import dataclass, field
from typing import Final, NoReturn
from xml.parsers import expat

from billing.bank.csv_files import LONGEST, MAX_MINOR, a_date
from billing.bank.rules import MAX_ENTRIES, Entry, Problem, Statement, Unreadable, check
from catalog.measures.errors import MeasureError
from catalog.measures.money import EXPONENTS, Money, parse_minor

MAX_DEPTH: Final = 32
MAX_ELEMENTS: Final = 400_000
NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:camt.053.001."


@dataclass(slots=True)
class Node:
    """An element: its name without namespace, its text as it was read piece by piece, and what is in it."""

    name: str
    attributes: dict[str, str]
    pieces: list[str] = field(default_factory=list)
    children: list["Node"] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text of the element itself, without blanks around it."""
        return "".join(self.pieces).strip()

    def all(self, path: str) -> list["Node"]:
        """Return the elements at a path such as `Acct/Id/IBAN`."""
        found = [self]
        for part in path.split("/"):
            found = [child for node in found for child in node.children if child.name == part]
        return found

    def first(self, *paths: str) -> str:
        """Return the text at the first path that has any."""
        for path in paths:
            for node in self.all(path):
                if text := node.text:
                    return text
        return ""


class _Refused(Exception):
    """Something that a statement never has."""


def read(text: str) -> Statement:
    """Return the statement in a file; raises Unreadable with every problem of every entry."""
    statements = _tree(text).all("BkToCstmrStmt/Stmt")
    if len(statements) != 1:
        raise Unreadable([Problem(0, "Stmt", f"{len(statements)} statements", "one statement in a file")])
    found = statements[0]
    account = found.first("Acct/Id/IBAN", "Acct/Id/Othr/Id")
    problems: list[Problem] = []
    if not account or len(account) > LONGEST["account"]:
        problems.append(Problem(0, "Acct/Id", account[:60], f"an account of up to {LONGEST['account']} characters"))
    booked = [entry for entry in found.all("Ntry") if _booked(entry)]
    if len(booked) > MAX_ENTRIES:
        raise Unreadable([Problem(0, "Ntry", f"{len(booked)} entries", f"{MAX_ENTRIES} or fewer")])
    entries = [_entry(number, node, problems) for number, node in enumerate(booked, start=1)]
    opening, closing = _balance(found, ("OPBD", "PRCD"), problems), _balance(found, ("CLBD",), problems)
    kept = tuple(entry for entry in entries if entry is not None)
    if not kept and not problems:
        problems.append(Problem(0, "Ntry", "no entries", "a booked entry"))
    if problems:
        raise Unreadable(problems)
    statement = Statement("camt.053", account, found.first("Id")[:64], kept[0].amount.currency, opening, closing, kept)
    check(statement)
    return statement


def _tree(text: str) -> Node:
    """Parse the file; nothing outside of it is ever looked at."""
    root = Node("", {})
    open_nodes = [root]
    count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if len(open_nodes) > MAX_DEPTH or count > MAX_ELEMENTS:
            raise _Refused("elements", f"{MAX_DEPTH} levels and {MAX_ELEMENTS} elements at most")
        if len(open_nodes) == 1 and not name.startswith(NAMESPACE):
            raise _Refused(name[:60], f"a document of {NAMESPACE}xx")
        node = Node(name.rpartition(" ")[2], attributes)
        open_nodes[-1].children.append(node)
        open_nodes.append(node)

    def end(_: str) -> None:
        open_nodes.pop()

    def characters(data: str) -> None:
        open_nodes[-1].pieces.append(data)

    def refuse(*_: object) -> NoReturn:
        raise _Refused("a document type or entity", "none")

    # The text has been decoded: what its first line says of an encoding does not count any more.
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    parser.buffer_text = True  # or every line break is a piece
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    parser.ProcessingInstructionHandler = refuse
    try:
        parser.Parse(text.encode(), True)  # noqa: FBT003 (its only spelling)
    except expat.ExpatError as error:
        raise Unreadable([Problem(error.lineno, "file", str(error), "well-formed XML")]) from error
    except _Refused as error:
        raise Unreadable([Problem(0, "file", str(error.args[0]), str(error.args[1]))]) from error
    return root.children[0]


def _booked(entry: Node) -> bool:
    # Version 8 and later wrap the code.
    return entry.first("Sts/Cd", "Sts") in {"BOOK", ""}


def _entry(number: int, node: Node, problems: list[Problem]) -> Entry | None:
    before = len(problems)
    money = _money(number, node, problems)
    indicator = node.first("CdtDbtInd")
    if indicator not in {"CRDT", "DBIT"}:
        problems.append(Problem(number, "CdtDbtInd", indicator[:60], "CRDT or DBIT"))
    booked = a_date(node.first("BookgDt/Dt", "BookgDt/DtTm")[:10])
    if booked is None:
        problems.append(
            Problem(number, "BookgDt", node.first("BookgDt/Dt", "BookgDt/DtTm")[:60], "a date from 2020 on")
        )
    reference = node.first("AcctSvcrRef", "NtryDtls/TxDtls/Refs/AcctSvcrRef", "NtryRef")
    if not reference or len(reference) > LONGEST["bank_reference"]:
        problems.append(Problem(number, "AcctSvcrRef", reference[:60], "the bank's id, up to 64 characters"))
    if len(problems) > before or money is None or booked is None:
        return None
    is_credit = indicator == "CRDT"
    other = "Dbtr" if is_credit else "Cdtr"
    parties = "NtryDtls/TxDtls/RltdPties"
    return Entry(
        row=number,
        bank_reference=reference,
        is_credit=is_credit,
        amount=money,
        booked_on=booked,
        value_date=a_date(node.first("ValDt/Dt", "ValDt/DtTm")[:10]) or booked,
        counterparty=_short(
            node.first(f"{parties}/{other}/Pty/Nm", f"{parties}/{other}/Nm") or "unknown", "counterparty"
        ),
        counterparty_account=_short(
            node.first(f"{parties}/{other}Acct/Id/IBAN", f"{parties}/{other}Acct/Id/Othr/Id"), "counterparty_account"
        ),
        remittance=_short(
            " ".join(part.text for part in node.all("NtryDtls/TxDtls/RmtInf/Ustrd"))
            or node.first("NtryDtls/TxDtls/RmtInf/Strd/CdtrRefInf/Ref", "AddtlNtryInf"),
            "remittance",
        ),
    )


def _money(number: int, node: Node, problems: list[Problem], *, may_be_zero: bool = False) -> Money | None:
    amounts = node.all("Amt")
    text = amounts[0].text if amounts else ""
    currency = amounts[0].attributes.get("Ccy", "") if amounts else ""
    try:
        minor = parse_minor(text, currency) if currency in EXPONENTS else -1
    except MeasureError:
        minor = -1
    if not (0 if may_be_zero else 1) <= minor <= MAX_MINOR:
        problems.append(Problem(number, "Amt", f"{text} {currency}"[:60], "an amount above zero with its currency"))
        return None
    return Money(minor, currency)


def _balance(statement: Node, codes: tuple[str, ...], problems: list[Problem]) -> Money | None:
    for code in codes:
        for node in statement.all("Bal"):
            if node.first("Tp/CdOrPrtry/Cd") == code:
                money = _money(0, node, problems, may_be_zero=True)
                return -money if money is not None and node.first("CdtDbtInd") == "DBIT" else money
    return None


def _short(text: str, name: str) -> str:
    """Return a text of the payer's as it can be kept: on one line, without what cannot be printed, not too long."""
    printable = "".join(symbol if symbol.isprintable() else " " for symbol in text)
    return " ".join(printable.split())[: LONGEST[name]]
