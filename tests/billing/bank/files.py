"""Statements as a bank gives them, and hostile ones."""

from collections.abc import Sequence

HEADER = "account,bank_reference,booked_on,amount,currency,counterparty,counterparty_account,remittance"
ACCOUNT = "CN62 0001"


def csv_of(*rows: Sequence[str]) -> str:
    """Return a CSV of rows (id, amount, remittance[, payer's account])."""
    lines = [HEADER]
    for reference, amount, remittance, *more in rows:
        payer = more[0] if more else ""
        lines.append(f"{ACCOUNT},{reference},2026-05-01,{amount},CNY,Beichen AI Lab Ltd,{payer},{remittance}")
    return "\r\n".join(lines) + "\r\n"


def entry(reference: str, amount: str, *, credit: bool = True, remittance: str = "", status: str = "BOOK") -> str:
    """Return an entry of a CAMT.053."""
    indicator, other = ("CRDT", "Dbtr") if credit else ("DBIT", "Cdtr")
    return f"""<Ntry><Amt Ccy="CNY">{amount}</Amt><CdtDbtInd>{indicator}</CdtDbtInd><Sts><Cd>{status}</Cd></Sts>
      <BookgDt><Dt>2026-05-01</Dt></BookgDt><ValDt><Dt>2026-05-02</Dt></ValDt><AcctSvcrRef>{reference}</AcctSvcrRef>
      <NtryDtls><TxDtls><RltdPties><{other}><Pty><Nm>Beichen AI Lab Ltd</Nm></Pty></{other}>
      <{other}Acct><Id><IBAN>CN11PAYER</IBAN></Id></{other}Acct></RltdPties>
      <RmtInf><Ustrd>{remittance}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"""


def camt_of(*entries: str, opening: str = "100.00", closing: str = "", version: str = "08") -> str:
    """Return a CAMT.053 of entries; without a closing balance it states none."""
    balances = _balance("OPBD", opening) + (_balance("CLBD", closing) if closing else "")
    return f"""<?xml version="1.0" encoding="UTF-8"?>
    <Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"><BkToCstmrStmt><GrpHdr><MsgId>1</MsgId>
    </GrpHdr><Stmt><Id>S-1</Id><Acct><Id><IBAN>CN620001</IBAN></Id></Acct>{balances}{"".join(entries)}
    </Stmt></BkToCstmrStmt></Document>"""


def _balance(code: str, amount: str) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='CNY'>{amount}</Amt>"
        "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-05-01</Dt></Dt></Bal>"
    )


BOMB = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><Document>&c;</Document>"""
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><Document>&f;</Document>'
GOOD = entry("B1", "12.50")


def csv_with_balances(*rows: tuple[str, str, str]) -> str:
    """Return a CSV of rows (id, amount, balance after it)."""
    lines = csv_of(*[(reference, amount, "") for reference, amount, _ in rows]).splitlines()
    return "\n".join(
        f"{line},{balance}" for line, balance in zip(lines, ("balance", *(row[2] for row in rows)), strict=True)
    )


# name -> (text, what the refusal says)
HOSTILE: dict[str, tuple[str, str]] = {
    "nothing": ("", "missing"),
    "entities that grow": (BOMB, "document type or entity"),
    "a file of this machine": (OUTSIDE, "document type or entity"),
    "another document": ("<html></html>", "camt.053"),
    "xml cut off": (camt_of(GOOD)[:-20], "well-formed XML"),
    "a processing instruction": (camt_of("<?php evil?>", GOOD), "document type or entity"),
    "too deep": ("<Document>" + "<a>" * 100, "camt.053"),
    "deep inside": (camt_of("<a>" * 100 + "</a>" * 100), "32 levels"),
    "no statement": (camt_of().replace("Stmt>", "Other>"), "one statement"),
    "no entry": (camt_of(), "a booked entry"),
    "a pending entry alone": (camt_of(entry("B1", "1.00", status="PDNG")), "a booked entry"),
    "an amount of nothing": (camt_of(entry("B1", "0.00")), "above zero"),
    "a negative amount": (camt_of(entry("B1", "-1.00")), "above zero"),
    "an exponent": (camt_of(entry("B1", "1e3")), "above zero"),
    "three decimals": (camt_of(entry("B1", "1.005")), "above zero"),
    "not a number": (camt_of(entry("B1", "NaN")), "above zero"),
    "another currency's code": (camt_of(GOOD.replace("CNY", "XXQ")), "above zero"),
    "no id of the bank": (camt_of(entry("", "1.00")), "bank's id"),
    "an id twice": (camt_of(GOOD, GOOD), "an id that no other row has"),
    "neither credit nor debit": (camt_of(GOOD.replace("CRDT", "BOTH")), "CRDT or DBIT"),
    "a day that is none": (camt_of(GOOD.replace("2026-05-01", "2026-02-30")), "a date"),
    "the year 1970": (camt_of(GOOD.replace("2026-05-01", "1970-01-01")), "a date"),
    "balances that do not meet": (camt_of(GOOD, closing="112.51"), "112.50 CNY"),
    "a balance in another currency": (camt_of(GOOD, closing="112.50").replace("Ccy='CNY'", "Ccy='USD'"), "in CNY"),
    "a day that is to come": (camt_of(GOOD.replace("2026-05-01", "2090-05-01")), "a day up to"),
    "csv: another header": ("a,b,c\n1,2,3\n", "one of account"),
    "csv: a header twice": (csv_of(("B1", "1.00", "")).replace("remittance", "account"), "each name once"),
    "csv: a header alone": (csv_of(), "a row for each of them"),
    "csv: a quote that never ends": (f'{csv_of()}"x', "format of CSV"),
    "csv: too few cells": (f"{csv_of()}a,b\r\n", "8 cells"),
    "csv: too many cells": (csv_of(("B1", "1.00", "a,b,c")), "8 cells"),
    "csv: a comma in the amount": (csv_of(("B1", '"1,50"', "")), "a plain amount"),
    "csv: full-width digits": (csv_of(("B1", "１２", "")), "a plain amount"),
    "csv: minus zero": (csv_of(("B1", "-0.00", "")), "other than zero"),
    "csv: two minus signs": (csv_of(("B1", "--1.00", "")), "a plain amount"),
    "csv: more than there is": (csv_of(("B1", "99999999999999999999.00", "")), "a plain amount"),
    "csv: a date of Excel": (csv_of(("B1", "1.00", "")).replace("2026-05-01", "46143"), "a date"),
    "csv: a date the other way": (csv_of(("B1", "1.00", "")).replace("2026-05-01", "01.05.2026"), "a date"),
    "csv: a day that is to come": (csv_of(("B1", "1.00", "")).replace("2026-05-01", "2090-05-01"), "a day up to"),
    "csv: no currency": (csv_of(("B1", "1.00", "")).replace("CNY", ""), "a currency"),
    "csv: no id": (csv_of(("", "1.00", "")), "a text"),
    "csv: a long id": (csv_of(("B" * 65, "1.00", "")), "up to 64"),
    "csv: a cell of ten thousand": (csv_of(("B1", "1.00", "x" * 10_000)), "up to 200"),
    "csv: a cell beyond reason": (csv_of(("B1", "1.00", "x" * 200_000)), "format of CSV"),
    "csv: a NUL": (csv_of(("B1", "1.00", "a\x00b")), "printable"),
    "csv: a bell": (csv_of(("B1", "1.00", "a\x07b")), "printable"),
    "csv: two accounts": (
        csv_of(("B1", "1.00", "")) + csv_of(("B2", "1.00", "")).splitlines()[1].replace(ACCOUNT, "CN63") + "\r\n",
        "one account",
    ),
    "csv: two currencies": (
        csv_of(("B1", "1.00", "")) + csv_of(("B2", "1.00", "")).splitlines()[1].replace("CNY", "USD") + "\r\n",
        "CNY",
    ),
    "csv: a balance that does not follow": (
        csv_with_balances(("B1", "1.00", "11.00"), ("B2", "-2.00", "9.01")),
        "9.00, which the row before and this amount lead to",
    ),
    "csv: a balance left out": (
        csv_with_balances(("B1", "1.00", "11.00"), ("B2", "1.00", "")),
        "in each row or in none",
    ),
    "csv: a balance that is none": (csv_with_balances(("B1", "1.00", "1e3")), "a plain amount"),
    "what another reader made of GBK": (csv_of(("B1", "1.00", "\ufffd\ufffd")), "in another encoding"),
    "csv: an id twice": (csv_of(("B1", "1.00", ""), ("B1", "2.00", "")), "row 1 has it"),
}
