"""Finance imports a statement on a page and follows what waits."""

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.actors.actor import Capability
from accounts.organisations import queries as organisations
from accounts.organisations.rules import Role
from billing.bank.models import BankStatement
from billing.payments.models import BankReceipt
from exchange.demo.cast import acting_for
from tests.billing.bank.files import csv_of
from tests.exchange.cast import Story
from tests.pages.visitors import signed_in


def file_of(content: bytes) -> dict[str, SimpleUploadedFile]:
    return {"file": SimpleUploadedFile("may.csv", content, content_type="text/csv")}


def test_a_clerk_imports_a_statement_and_is_led_to_what_waits(story: Story) -> None:
    house = acting_for(organisations.operator(), Capability.VIEW_BOOKS)
    clerk = signed_in(house, Role.FINANCE_OPERATOR)
    address = reverse("bank_statements")
    wrong = clerk.post(address, file_of(csv_of(("P1", "zwei", "")).encode()))
    assert wrong.status_code == 422
    assert "row 1, amount: &#x27;zwei&#x27; was found" in wrong.content.decode()
    assert clerk.post(address, file_of(b"\xff\xfe")).status_code == 422
    assert clerk.post(address).status_code == 422
    answer = clerk.post(address, file_of(csv_of(("P1", "7.00", "<b>thanks</b>"), ("P2", "-3.00", "")).encode()))
    assert answer["Location"] == reverse("bank_statement", args=[BankStatement.objects.get().id])
    page = clerk.get(answer["Location"]).content.decode()
    assert reverse("receipt_match", args=[BankReceipt.objects.get(bank_reference="P1").id]) in page
    assert "&lt;b&gt;thanks" in page
    assert "may.csv" in clerk.get(address).content.decode()


def test_who_only_reads_the_books_imports_nothing(story: Story) -> None:
    house = acting_for(organisations.operator(), Capability.VIEW_BOOKS)
    viewer = signed_in(house, Role.FINANCE_VIEWER)
    assert viewer.post(reverse("bank_statements"), file_of(csv_of(("P1", "7.00", "")).encode())).status_code == 422
    assert not BankStatement.objects.exists()
