"""Statements of the bank: imported whole or not at all, once, and matched by rules that guess nothing."""

import re
import time
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.actors.errors import NotAllowed
from accounts.web import uploads
from billing.bank import camt, csv_files, services
from billing.bank.errors import EntryContradicts, StatementUnreadable
from billing.bank.models import BankEntry, BankStatement
from billing.bank.rules import MAX_ENTRIES, Unreadable
from billing.bank.services import RowResult
from billing.ledger import queries as books
from billing.ledger.chart import Code
from billing.payments import services as payments
from billing.payments import suspense
from billing.payments.errors import OwnTopUp, PartsDiffer, ReceiptMatched
from billing.payments.models import BankReceipt, TopUp
from billing.payments.rules import ReceiptStatus, TopUpStatus
from catalog.measures.money import Money
from tests.billing.bank.files import HOSTILE, camt_of, csv_of, csv_with_balances, entry
from tests.billing.ledger.books import NOW, check_deferred
from tests.billing.payments import cast
from tests.billing.payments.cast import Cast, line

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> Cast:
    return cast.make()


def announced(people: Cast, amount_minor: int = 1_250) -> TopUp:
    return payments.request_top_up(people.trader, Money(amount_minor, "CNY"), now=NOW)


def imported(people: Cast, text: str) -> list[RowResult]:
    return [row[2] for row in services.import_statement(people.clerk, text, file_name="may.txt", now=NOW).rows]


def figures(people: Cast) -> tuple[int, int, int]:
    """Bank, suspense and wallet, each as a positive figure."""
    return (
        books.balance(Code.BANK, "CNY"),
        -books.balance(Code.SUSPENSE, "CNY"),
        books.funds(people.lab.id, "CNY").balance_minor,
    )


@pytest.mark.parametrize("version", ["02", "08", "13"])
def test_a_camt_statement_confirms_what_quotes_its_reference(people: Cast, version: str) -> None:
    top_up = announced(people)
    text = camt_of(
        entry("B1", "12.50", remittance=f"compute {top_up.reference}"),
        entry("B2", "7.00", remittance="thank you"),
        entry("B3", "3.00", credit=False),
        entry("B4", "9.00", status="PDNG"),
        closing="116.50",
        version=version,
    )
    assert imported(people, text) == [RowResult.MATCHED, RowResult.WAITS, RowResult.OUT]
    check_deferred()
    assert figures(people) == (1_950, 700, 1_250)
    statement = BankStatement.objects.get()
    assert (statement.format, statement.opening_minor, statement.closing_minor) == ("camt.053", 10_000, 11_650)
    out = BankEntry.objects.get(bank_reference="B3")
    assert (out.amount_minor, out.receipt, out.counterparty_account) == (-300, None, "CN11PAYER")


def test_what_a_decoded_file_says_of_its_encoding_does_not_count(people: Cast) -> None:
    for n, encoding in enumerate(("GBK", "UTF-16", "no-such-encoding")):
        text = camt_of(entry(f"B{n}", "1.00")).replace("UTF-8", encoding)
        assert imported(people, text) == [RowResult.WAITS]


def test_a_text_of_a_million_lines_is_read_in_a_time_that_grows_with_its_length() -> None:
    started = time.monotonic()
    statement = camt.read(camt_of(entry("B1", "1.00", remittance="\n" * 1_000_000)))
    assert time.monotonic() - started < 20  # minutes, were each line added to a copy of those before
    assert statement.entries[0].remittance == ""


def test_a_csv_statement_does_the_same(people: Cast) -> None:
    top_up = announced(people)
    text = "\ufeff" + csv_of(("B1", "12.50", top_up.reference), ("B2", "7.00", '"a, b"'), ("B3", "-3.00", ""))
    assert imported(people, text) == [RowResult.MATCHED, RowResult.WAITS, RowResult.OUT]
    assert figures(people) == (1_950, 700, 1_250)


def test_a_csv_may_say_its_balances(people: Cast) -> None:
    text = csv_with_balances(("B1", "12.50", "2.50"), ("B2", "-3.00", "-0.50"))
    assert imported(people, text) == [RowResult.WAITS, RowResult.OUT]
    statement = BankStatement.objects.get()
    assert (statement.opening_minor, statement.closing_minor) == (-1_000, -50)


XML = '<?xml version="1.0" encoding="{}"?><a>北辰</a>'
READ = {
    "UTF-8": ("北辰\n".encode(), "北辰\n"),
    "UTF-8 with its mark": ("北辰".encode("utf-8-sig"), "北辰"),
    "UTF-16 with a mark": ("北辰".encode("utf-16"), "北辰"),
    "UTF-16 the other way": (b"\xfe\xff" + "北辰".encode("utf-16-be"), "北辰"),
    "GBK as its XML says": (XML.format("GBK").encode("gbk"), XML.format("GBK")),
    "an XML that says an encoding nobody needs": (b'<?xml version="1.0" encoding="EBCDIC"?><a/>', None),
}
DECLINED = {
    "GBK": ("a,b\n北辰".encode("gbk"), "byte 5 (line 2) is 0xB1; expected UTF-8"),
    "UTF-16 without a mark": ("a,b".encode("utf-16-le"), "byte 2 (line 1) is 0x00"),
    "half a mark's text": (b"\xff\xfea", "The file is not UTF-16-LE: byte 3"),
    "UTF-8 that says GBK": (XML.format("GBK").encode(), "says that it is GBK and can be read as UTF-8"),
    "GBK that says UTF-8": (XML.format("UTF-8").encode("gbk"), "The file is not UTF-8: byte 42 (line 1) is 0xB1"),
    "no picture": (b"\x89PNG\r\n", "byte 1 (line 1) is 0x89"),
}


@pytest.mark.parametrize("name", READ)
def test_a_file_is_read_in_the_encoding_that_it_names(name: str) -> None:
    raw, text = READ[name]
    assert uploads.decoded(raw) == (raw.decode() if text is None else text)


@pytest.mark.parametrize("name", DECLINED)
def test_a_file_in_another_encoding_is_refused_with_the_byte(name: str) -> None:
    raw, said = DECLINED[name]
    with pytest.raises(ValueError, match=re.escape(said)):
        uploads.decoded(raw)


@given(st.binary(max_size=60))
def test_no_bytes_do_anything_but_be_read_or_refused(raw: bytes) -> None:
    refusal = ""
    try:
        assert "\x00" not in uploads.decoded(raw)
    except ValueError as error:
        refusal = str(error)
    assert not refusal or "expected UTF-8" in refusal


def test_the_same_file_again_and_the_same_entries_in_another_change_nothing(people: Cast) -> None:
    first = csv_of(("B1", "12.50", ""), ("B2", "7.00", ""))
    assert imported(people, first) == [RowResult.WAITS] * 2
    assert imported(people, first) == [RowResult.WAITS] * 2
    assert imported(people, csv_of(("B2", "7.00", ""), ("B3", "1.00", ""))) == [RowResult.KNOWN, RowResult.WAITS]
    assert BankStatement.objects.count() == 2
    assert figures(people) == (2_050, 2_050, 0)


def test_an_entry_that_contradicts_what_is_known_refuses_its_file(people: Cast) -> None:
    imported(people, csv_of(("B1", "12.50", "")))
    with pytest.raises(EntryContradicts, match=r"B1 is known with 12\.50 CNY; this file says 12\.51 CNY"):
        imported(people, csv_of(("B0", "1.00", ""), ("B1", "12.51", "")))
    assert BankEntry.objects.count() == BankStatement.objects.count() == 1


def test_what_a_clerk_typed_before_is_the_same_receipt(people: Cast) -> None:
    payments.record_receipt(people.clerk, line(1_250, bank_reference="B1"), now=NOW)
    assert imported(people, csv_of(("B1", "12.50", ""))) == [RowResult.WAITS]
    assert figures(people) == (1_250, 1_250, 0)
    payments.record_receipt(people.clerk, line(100, bank_reference="B2"), now=NOW)
    with pytest.raises(EntryContradicts):
        imported(people, csv_of(("B2", "1.01", "")))


def test_a_known_payer_is_recognised_by_the_account_when_only_one_top_up_fits(people: Cast) -> None:
    imported(people, csv_of(("B1", "12.50", announced(people).reference, "CN11")))
    announced(people, 800)
    assert imported(people, csv_of(("B2", "8.00", "next month", "CN11"))) == [RowResult.MATCHED]
    announced(people, 900)
    announced(people, 900)
    assert imported(people, csv_of(("B3", "9.00", "", "CN11"))) == [RowResult.WAITS]
    announced(people, 700)
    assert imported(people, csv_of(("B4", "7.00", "", "CN99"))) == [RowResult.WAITS]
    other = payments.request_top_up(people.stranger, Money(600, "CNY"), now=NOW)
    assert imported(people, csv_of(("B5", "6.00", "", "CN11"))) == [RowResult.WAITS]
    # A quoted reference that does not fit is the payer's word: the account does not overrule it.
    assert imported(people, csv_of(("B6", "7.00", other.reference, "CN11"))) == [RowResult.WAITS]


def test_one_transfer_pays_several_top_ups_that_are_its_sum(people: Cast) -> None:
    asked = [announced(people, 1_000), announced(people, 250)]
    imported(people, csv_of(("B1", "12.50", f"{asked[0].reference} {asked[1].reference}")))
    receipt = BankReceipt.objects.get()
    with pytest.raises(PartsDiffer, match=r"12\.50 CNY was received and the top-ups are 10\.00 CNY together"):
        suspense.split(people.clerk, receipt.id, [asked[0].id], now=NOW)
    suspense.split(people.clerk, receipt.id, [top_up.id for top_up in asked], now=NOW)
    check_deferred()
    receipt.refresh_from_db()
    assert receipt.status == ReceiptStatus.SPLIT
    assert set(TopUp.objects.values_list("status", flat=True)) == {TopUpStatus.CONFIRMED}
    assert figures(people) == (1_250, 0, 1_250)
    with pytest.raises(ReceiptMatched):
        suspense.give_back(people.clerk, receipt.id, reason="x", now=NOW)


def test_nobody_splits_for_himself(people: Cast) -> None:
    asked = [announced(people, 1_000), announced(people, 250)]
    TopUp.objects.filter(id=asked[1].id).update(requested_by=people.clerk.user_id)
    imported(people, csv_of(("B1", "12.50", "")))
    with pytest.raises(OwnTopUp):
        suspense.split(people.clerk, BankReceipt.objects.get().id, [row.id for row in asked], now=NOW)


def test_money_of_nobody_is_sent_back(people: Cast) -> None:
    imported(people, csv_of(("B1", "12.50", "wrong account")))
    receipt = suspense.give_back(people.clerk, BankReceipt.objects.get().id, reason="not ours", now=NOW)
    check_deferred()
    assert (receipt.status, figures(people)) == (ReceiptStatus.RETURNED, (0, 0, 0))
    with pytest.raises(ReceiptMatched):
        suspense.give_back(people.clerk, receipt.id, reason="again", now=NOW)


def test_statements_are_the_affair_of_finance(people: Cast) -> None:
    for actor in (people.trader, people.auditor):
        with pytest.raises(NotAllowed):
            services.import_statement(actor, csv_of(("B1", "1.00", "")), file_name="x", now=NOW)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_whole_with_what_is_wrong(people: Cast, name: str) -> None:
    text, said = HOSTILE[name]
    with pytest.raises(StatementUnreadable) as error:
        imported(people, text)
    assert any(said in problem.detail for problem in error.value.problems), error.value.problems
    assert not BankStatement.objects.exists()
    assert not BankReceipt.objects.exists()


def test_every_faulty_row_is_named_and_the_good_ones_are_not_kept(people: Cast) -> None:
    rows = [("B1", "1.00", ""), ("B2", "zwei", ""), ("B3", "1.00", ""), ("B4", "1.001", "")]
    with pytest.raises(StatementUnreadable) as error:
        imported(people, csv_of(*rows))
    assert [problem.detail.split(",")[0] for problem in error.value.problems] == ["row 2", "row 4"]
    assert not BankEntry.objects.exists()


def test_more_entries_than_are_taken_are_refused() -> None:
    with pytest.raises(Unreadable, match=f"{MAX_ENTRIES} rows or fewer"):
        csv_files.read(csv_of(*[(f"B{n}", "1.00", "") for n in range(MAX_ENTRIES + 1)]))


@given(st.text(max_size=400))
def test_no_text_does_anything_but_be_read_or_refused(text: str) -> None:
    for read in (csv_files.read, camt.read):
        with pytest.raises(Unreadable):
            read(text)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200))
def test_what_a_payer_writes_is_kept_or_named(remittance: str) -> None:
    quoted = '"' + remittance.replace('"', '""') + '"'
    text = csv_of(("B1", "1.00", quoted))
    printable = remittance.strip().isprintable()
    assert printable or any(category(symbol)[0] in "CZ" for symbol in remittance)
    if printable:
        assert csv_files.read(text).entries[0].remittance == remittance.strip()
    else:
        with pytest.raises(Unreadable):
            csv_files.read(text)
