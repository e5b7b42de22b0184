"""What waits in suspense is split or sent back on a page, and a top-up has its pro-forma in two languages."""

import io

import pytest
from django.test import Client
from pypdf import PdfReader

from accounts.foundation import ids
from accounts.organisations import members
from accounts.organisations.models import Organisation, User
from accounts.organisations.rules import OrganisationKind, Role
from billing.ledger import queries as books
from billing.ledger.chart import Code
from billing.payments import services as payments
from billing.payments.models import BankReceipt, TopUp
from billing.payments.rules import ReceiptStatus
from catalog.measures.money import Money
from tests.accounts import cast as people
from tests.api.caller import Api
from tests.billing.ledger.books import NOW
from tests.billing.payments import cast
from tests.billing.payments.cast import Cast, line

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> Organisation:
    return people.organisation("Exchange", kind=OrganisationKind.OPERATOR, can_operate=True)


def signed_in(of: Organisation, role: Role) -> Client:
    user = User.objects.create(email=f"{role}@example.org", display_name=role, created_at=NOW)
    members.add_member(people.SYSTEM, of.id, user.id, role, now=NOW)
    client = Client()
    client.force_login(user)
    return client


def page_of(receipt: BankReceipt) -> str:
    return f"/finance/receipts/{ids.spell('rcp', receipt.id)}"


def top_ups(buyers: Cast, *amounts: int) -> list[TopUp]:
    return [payments.request_top_up(buyers.trader, Money(amount, "CNY"), now=NOW) for amount in amounts]


def test_one_transfer_is_split_over_the_top_ups_that_add_up_to_it(house: Organisation) -> None:
    buyers = cast.make()
    asked = top_ups(buyers, 30_000, 20_000, 10_000)
    receipt = payments.record_receipt(buyers.clerk, line(50_000, "two at once"), now=NOW)
    clerk = signed_in(house, Role.FINANCE_OPERATOR)
    shown = clerk.get(page_of(receipt)).content.decode()
    assert all(top_up.reference in shown for top_up in asked)
    wrong = clerk.post(f"{page_of(receipt)}/split", {"top_ups": [str(asked[0].id), str(asked[2].id)]})
    assert wrong.status_code == 422
    assert "400.00 CNY" in wrong.content.decode()
    chosen = {"top_ups": [str(asked[0].id), str(asked[1].id)]}
    assert signed_in(house, Role.FINANCE_VIEWER).post(f"{page_of(receipt)}/split", chosen).status_code == 403
    assert clerk.post(f"{page_of(receipt)}/split", chosen).status_code == 302
    receipt.refresh_from_db()
    assert receipt.status == ReceiptStatus.SPLIT
    assert books.funds(buyers.lab.id, "CNY").balance_minor == 50_000
    assert clerk.post(f"{page_of(receipt)}/split", chosen).status_code == 422


def test_what_is_nobodys_is_noted_as_sent_back(house: Organisation) -> None:
    buyers = cast.make()
    receipt = payments.record_receipt(buyers.clerk, line(50_000, "?"), now=NOW)
    clerk = signed_in(house, Role.FINANCE_OPERATOR)
    assert clerk.post(f"{page_of(receipt)}/return", {"reason": ""}).status_code == 422
    assert clerk.post(f"{page_of(receipt)}/return", {"reason": "nobody's"}).status_code == 302
    receipt.refresh_from_db()
    assert receipt.status == ReceiptStatus.RETURNED
    assert books.balance(Code.SUSPENSE, "CNY") == books.balance(Code.BANK, "CNY") == 0
    assert "It was sent back" not in clerk.get(page_of(receipt)).content.decode()


@pytest.mark.parametrize(("language", "words"), [("en", "Quote in the transfer"), ("zh", "汇款附言")])
def test_a_top_up_has_a_pro_forma_with_its_reference(
    house: Organisation, settings: object, language: str, words: str
) -> None:
    settings.EXCHANGE_BANK_ACCOUNT = "Bank of Huailai, 6222 0202"  # type: ignore[attr-defined]
    buyers = cast.make()
    (asked,) = top_ups(buyers, 600_000)
    buyer = Organisation.objects.get(id=buyers.lab.id)
    user = User.objects.create(email="principal@example.org", display_name="P", created_at=NOW)
    members.add_member(people.SYSTEM, buyer.id, user.id, Role.BUYER_ADMIN, now=NOW)
    caller = Api.signed_in(user)
    address = f"/v1/top-ups/{ids.spell('top', asked.id)}/pro-forma"
    html = caller.get(f"{address}.html?language={language}").content.decode()
    pdf = caller.get(f"{address}.pdf?language={language}")
    printed = PdfReader(io.BytesIO(pdf.content)).pages[0].extract_text()
    for text in (html, printed):
        shown = "".join(text.split())
        for part in (words, asked.reference, "6,000.00 CNY", "Bank of Huailai, 6222 0202"):
            assert "".join(part.split()) in shown, part
    assert caller.get(f"{address}.pdf?language=fr").status_code == 400
    stranger = User.objects.create(email="stranger2@example.org", display_name="S", created_at=NOW)
    members.add_member(
        people.SYSTEM, people.organisation("Other", can_buy=True).id, stranger.id, Role.BUYER_ADMIN, now=NOW
    )
    assert Api.signed_in(stranger).get(f"{address}.pdf").status_code == 404
