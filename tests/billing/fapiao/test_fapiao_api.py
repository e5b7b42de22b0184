"""Fapiao over HTTP and on pages: who sees and does what, and the import of records row by row."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.foundation import clock, ids
from accounts.organisations.models import User
from accounts.organisations.rules import Role
from billing.fapiao.models import Fapiao, FapiaoTitle
from billing.fapiao.rules import Status, amount_text
from billing.invoices import corrections
from billing.invoices.models import Invoice
from tests.accounts import cast as people
from tests.api.caller import Api, pointers
from tests.billing.delivery import Stage
from tests.billing.fapiao.cast import FULL, LATER, USCC, asked, invoice, number, stage

pytestmark = pytest.mark.django_db
DAY = "2026-05-12"


@pytest.fixture
def lab() -> Iterator[Stage]:
    with clock.travel(LATER):
        yield stage()


def member(lab: Stage, name: str) -> User:
    of, role = {
        "trader": (lab.buyer, Role.BUYER_TRADER),
        "viewer": (lab.buyer, Role.BUYER_VIEWER),
        "stranger": (None, Role.BUYER_ADMIN),
        "clerk": (lab.exchange, Role.FINANCE_OPERATOR),
        "auditor": (lab.exchange, Role.FINANCE_VIEWER),
    }[name]
    return people.member(of or people.organisation("Lanting Robotics"), name, role)


def api(lab: Stage, name: str) -> Api:
    return Api.signed_in(member(lab, name))


def spelled(drawn: Invoice) -> str:
    return ids.spell("inv", drawn.id)


def test_a_buyer_asks_and_finance_records_over_http(lab: Stage) -> None:
    drawn = invoice(lab)
    trader, viewer, stranger, clerk, auditor = (
        api(lab, name) for name in ("trader", "viewer", "stranger", "clerk", "auditor")
    )
    wrong = trader.post("/v1/fapiao-titles", {"name": "Beichen", "tax_id": USCC[:-1] + "4"})
    assert (wrong.status_code, pointers(wrong)) == (400, ["#/tax_id"])
    title = trader.post("/v1/fapiao-titles", {name: getattr(FULL, name) for name in FULL.__slots__}).json()
    body = {"title": title["id"], "kind": "special", "invoices": [spelled(drawn)]}
    assert viewer.post("/v1/fapiao", body).status_code == 403
    made = trader.post("/v1/fapiao", body, key="once")
    assert made.status_code == 201, made.content
    assert trader.post("/v1/fapiao", body, key="once").json() == made.json()
    assert pointers(trader.post("/v1/fapiao", body)) == ["#/invoices/0"]
    path = f"/v1/fapiao/{made.json()['id']}"
    assert viewer.get(path).json()["parts"][0]["document_number"] == drawn.number
    assert (stranger.get(path).status_code, stranger.get("/v1/fapiao").json()["data"]) == (404, [])
    assert Api().get(path).status_code == 401
    assert [row["number"] for row in auditor.get("/v1/outstanding-fapiao").json()["data"]] == [drawn.number]
    total = made.json()["total"]["amount"]
    said = {"number": number(1), "issued_on": DAY, "total": total}
    assert auditor.post(f"{path}/record", said).status_code == 403
    assert pointers(clerk.post(f"{path}/record", said | {"total": "1.00"})) == ["#/total"]
    assert clerk.post(f"{path}/begin").json()["status"] == "issuing"
    assert clerk.post(f"{path}/record", said).json()["number"] == number(1)
    assert pointers(clerk.post(f"{path}/red-letters", {"cause": "mistake"})) == ["#/reason"]
    red = clerk.post(f"{path}/red-letters", {"cause": "mistake", "reason": "Wrong title"}).json()["red_letters"]
    assert clerk.post(f"/v1/fapiao/{red[0]}/refuse", {"reason": "It was right"}).json()["status"] == "refused"
    assert trader.post(f"/v1/fapiao-titles/{title['id']}/end").json()["ended_at"] is not None


def test_each_row_of_an_import_has_its_result_and_good_rows_are_kept(lab: Stage) -> None:
    clerk = api(lab, "clerk")
    good, other = (asked(lab, invoice(lab, series)) for series in "ab")
    names = [ids.spell("fap", one.id) for one in (good, other)]
    total = amount_text(good.total_minor)
    lines = [
        "fapiao,number,issued_on,total",
        f"{names[0]},{number(1)},{DAY},{total}",
        f"{names[0]},{number(1)},{DAY},{total}",
        f"{names[1]},{number(1)},{DAY},{total}",
        f"{names[1]},12,{DAY},{total}",
        f"{names[1]},{number(2)},yesterday,1e3",
        f"fap_nonsense,{number(2)},{DAY},{total}",
        f"{ids.spell('fap', ids.new_id())},{number(2)},{DAY},{total}",
        f"{names[1]},{number(2)}",
    ]
    answer = clerk.post("/v1/fapiao-records", {"content": "\n".join(lines)})
    assert answer.status_code == 200, answer.content
    rows = answer.json()["rows"]
    assert [row["result"] for row in rows] == ["recorded", "known", *["refused"] * 6]
    fields = [[problem["field"] for problem in row["problems"]] for row in rows[2:]]
    assert fields == [["number"], ["number"], ["total", "issued_on"], ["row"], ["row"], ["row"]]
    assert "'yesterday' was given; expected a date" in rows[4]["problems"][1]["detail"]
    good.refresh_from_db()
    other.refresh_from_db()
    assert (good.status, other.status) == (Status.ISSUED, Status.REQUESTED)
    broken = clerk.post("/v1/fapiao-records", {"content": "number,colour\n1,2"}).json()["rows"]
    assert {row["row"] for row in broken} == {0}
    assert api(lab, "viewer").post("/v1/fapiao-records", {"content": "x"}).status_code == 403


def test_people_ask_record_and_reverse_on_pages(lab: Stage) -> None:
    drawn = invoice(lab)
    trader, clerk, auditor = Client(), Client(), Client()
    for client, name in ((trader, "trader"), (clerk, "clerk"), (auditor, "auditor")):
        client.force_login(member(lab, name))
    typed = {name: getattr(FULL, name) for name in FULL.__slots__}
    wrong = trader.post(reverse("fapiao_title_enter"), typed | {"tax_id": "123"})
    assert (wrong.status_code, "GB 32100" in wrong.content.decode()) == (422, True)
    trader.post(reverse("fapiao_title_enter"), typed)
    title = FapiaoTitle.objects.get()
    assert trader.post(reverse("my_fapiao"), {"title": title.id, "kind": "special"}).status_code == 422
    trader.post(reverse("my_fapiao"), {"title": title.id, "kind": "special", "invoices": [drawn.id]})
    blue = Fapiao.objects.get()
    page = trader.get(reverse("fapiao", args=[blue.id])).content.decode()
    assert drawn.number in page
    assert "Record what was issued" not in page
    assert "Beichen AI Lab" in auditor.get(reverse("fapiao_queue")).content.decode()
    assert auditor.post(reverse("fapiao_refuse", args=[blue.id]), {"reason": "x"}).status_code == 403
    work = reverse("fapiao_work", args=[blue.id])
    clerk.post(reverse("fapiao_begin", args=[blue.id]))
    said = {"number": number(3), "issued_on": DAY, "total": amount_text(blue.total_minor)}
    assert clerk.post(work, said | {"number": "3"}).status_code == 422
    assert clerk.post(work, said)["Location"] == work
    note = corrections.credit_invoice(lab.finance, drawn.id, reason="Twice", amounts_minor={1: 100}, now=LATER)
    assert note.number in clerk.get(reverse("fapiao_queue")).content.decode()
    clerk.post(reverse("fapiao_red_letter", args=[blue.id]), {"cause": "credit_note"})
    red = Fapiao.objects.get(red_of=blue)
    clerk.post(reverse("fapiao_refuse", args=[red.id]), {"reason": "Wrong form"})
    clerk.post(reverse("fapiao_red_letter", args=[blue.id]), {"reason": "Wrong title"})
    mistake = Fapiao.objects.get(red_of=blue, red_cause="mistake")
    line = f"{ids.spell('fap', mistake.id)},{number(4)},{DAY},{amount_text(mistake.total_minor)}"
    upload = SimpleUploadedFile("r.csv", f"fapiao,number,issued_on,total\n{line}\nx,1,2,3".encode())
    shown = clerk.post(reverse("fapiao_import"), {"file": upload}).content.decode()
    assert "expected a date between" in shown
    blue.refresh_from_db()
    assert blue.status == Status.REVERSED
    trader.post(reverse("fapiao_title_end", args=[title.id]))
    assert "Use no more" not in trader.get(reverse("my_fapiao")).content.decode()
