"""The journal of a simulated quarter: other double-entry programs accept it and come to the ledger's balances."""

import os
import re
import shutil
import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from beancount import loader
from beancount.core import data, realization
from django.core.management import CommandError, call_command
from django.db.models import Sum

from accounts.actors.actor import Actor, Capability
from accounts.actors.errors import NotAllowed
from accounts.foundation import clock, ids
from billing.exports import books
from billing.exports.focus import in_currency
from billing.exports.journal import AccountLine, Entry, JournalFormat, Posting, account_path, pieces
from billing.ledger.chart import CHART, Code
from billing.ledger.models import Account, LedgerEntry, LedgerTransaction
from billing.ledger.rules import AccountRef
from exchange.demo.cast import Cast

HLEDGER = shutil.which("hledger")


def written(journal_format: str, path: Path) -> Path:
    call_command("export_journal", format=journal_format, out=path)
    return path


def bean_check(journal: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).parent / "bean-check"
    return subprocess.run([program, str(journal)], capture_output=True, text=True, check=False)


def ledger_balances() -> dict[tuple[str, str], Decimal]:
    """Return the sum of all entries of each account and currency, by the account's name in a journal."""
    sums = LedgerEntry.objects.order_by().values_list("account__code", "account__organisation_id", "currency")
    return {
        (account_path(AccountRef(Code(code), organisation_id)), currency): in_currency(int(minor), currency)
        for code, organisation_id, currency, minor in sums.annotate(Sum("amount_minor"))
    }


def test_bean_check_accepts_the_quarter_and_its_balances_are_the_ledgers(quarter: Cast, tmp_path: Path) -> None:
    journal = written("beancount", tmp_path / "books.bean")

    checked = bean_check(journal)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")

    entries, errors, _ = loader.load_file(str(journal))
    assert not errors
    transactions = [entry for entry in entries if isinstance(entry, data.Transaction)]
    assert len(transactions) == LedgerTransaction.objects.count() > 40
    assert sum(isinstance(entry, data.Balance) for entry in entries) == len(ledger_balances())
    root = realization.realize(entries)  # type: ignore[no-untyped-call]  # beancount has no types here
    found = {
        (account.account, position.units.currency): position.units.number
        for account in realization.iter_children(root)  # type: ignore[no-untyped-call]
        for position in account.balance
    }
    assert found == {key: amount for key, amount in ledger_balances().items() if amount}


def test_bean_check_refuses_the_journal_when_a_posting_is_missing(quarter: Cast, tmp_path: Path) -> None:
    journal = written("beancount", tmp_path / "books.bean")
    paragraphs = journal.read_text().split("\n\n")
    journal.write_text("\n\n".join(paragraphs[:5] + paragraphs[6:]))

    checked = bean_check(journal)

    assert checked.returncode != 0
    assert "Balance failed" in checked.stderr


# hledger is a package of the system. Where it is not installed this list, and so the run, names no test of it.
@pytest.mark.parametrize("program", [HLEDGER] if HLEDGER else [])
def test_hledger_accepts_the_quarter_with_every_account_declared(quarter: Cast, tmp_path: Path, program: str) -> None:
    journal = written("hledger", tmp_path / "books.journal")

    checked = subprocess.run(
        [program, "-f", str(journal), "check", "--strict"], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")

    shown = subprocess.run(
        [program, "-f", str(journal), "balance", "--flat", "--no-total", "--layout=bare", "-O", "csv"],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line.strip('"').split('","') for line in shown.stdout.splitlines()[1:]]
    found = {(account, currency): Decimal(amount) for account, currency, amount in rows if Decimal(amount)}
    assert found == {key: amount for key, amount in ledger_balances().items() if amount}


def test_shards_are_one_account_and_a_quarter_uses_several(quarter: Cast, tmp_path: Path) -> None:
    text = written("hledger", tmp_path / "books.journal").read_text()

    assert Account.objects.filter(code=Code.CAPACITY_REVENUE, currency="CNY").count() > 1
    assert text.count("account Income:4010-Capacity-and-metered-revenue\n") == 1


def test_the_journal_is_for_those_who_read_the_books(db: None) -> None:
    trader = Actor(None, None, None, frozenset({Capability.TRADE}), "test")

    with pytest.raises(NotAllowed):
        list(books.journal_pieces(trader, JournalFormat.HLEDGER, today=clock.now().date()))


@pytest.mark.parametrize("out", ["missing/books.journal", "", ".", "/", f"{'x' * 300}/y"])
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_read(out: str, tmp_path: Path) -> None:
    path = out if len(out) < 2 else str(tmp_path / out)
    with pytest.raises(CommandError, match=r"expected a file|no directory|cannot be written"):
        call_command("export_journal", "--format=hledger", f"--out={path}")
    assert not list(tmp_path.iterdir())


def test_a_pipe_is_written_into_and_an_old_file_is_replaced_also_behind_a_link(quarter: Cast, tmp_path: Path) -> None:
    pipe, file, link = tmp_path / "pipe", tmp_path / ("x" * 250), tmp_path / "link"
    os.mkfifo(pipe)
    file.write_text("old")
    link.symlink_to(file)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        written("hledger", pipe)
        piped, _ = reader.communicate()

    written("hledger", link)

    assert pipe.is_fifo()
    assert link.is_symlink()
    assert file.read_bytes() == piped
    assert len(piped) > 1_000
    assert len(list(tmp_path.iterdir())) == 3


ACCOUNTS = [
    AccountLine(AccountRef(Code.BANK, None), "CNY", "", date(2026, 4, 1), 100),
    AccountLine(
        AccountRef(Code.WALLET, ids.new_id()), "CNY", 'A; type:Q "date:x"\n👩‍💻 \u202e=1', date(2026, 4, 1), -100
    ),
]


@pytest.mark.parametrize("memo", ["(not closed", "(a) code", "! * a;b|c:d", "\u202e👩‍💻\\", "=1+1", '"'])
def test_no_name_and_no_memo_is_read_as_anything_else(memo: str, tmp_path: Path) -> None:
    postings = tuple(Posting(line.account, "CNY", line.balance_minor) for line in ACCOUNTS)
    entry = Entry(ids.new_id(), date(2026, 4, 2), memo, "journal", ids.new_id(), "post", postings)
    journal = {name: tmp_path / name for name in JournalFormat}
    for name, path in journal.items():
        path.write_text("".join(pieces(name, ACCOUNTS, [entry], last_day=entry.day)))

    checked = [bean_check(journal[JournalFormat.BEANCOUNT])]
    if HLEDGER:
        strictly = [HLEDGER, "-f", str(journal[JournalFormat.HLEDGER]), "check", "--strict"]
        checked.append(subprocess.run(strictly, capture_output=True, text=True, check=False))

    assert [(program.returncode, program.stderr) for program in checked] == [(0, "")] * len(checked)
    transactions, _, _ = loader.load_file(str(journal[JournalFormat.BEANCOUNT]))
    assert [found.narration for found in transactions if isinstance(found, data.Transaction)] == [memo]


def test_an_account_opened_after_the_last_transaction_is_asserted_after_its_opening(db: None) -> None:
    Account.objects.create(code=Code.BANK, kind=CHART[Code.BANK].kind, currency="CNY", opened_at=clock.now())

    text = "".join(books.journal_pieces(Actor.system("test"), JournalFormat.BEANCOUNT, today=date(2026, 1, 1)))

    opened, asserted = (re.search(rf"(\S+) {word} Assets:1020-Bank", text) for word in ("open", "balance"))
    assert opened is not None
    assert asserted is not None
    assert date.fromisoformat(asserted[1]) == date.fromisoformat(opened[1]) + timedelta(days=1)
