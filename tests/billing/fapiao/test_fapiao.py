"""Fapiao are asked for once, recorded as issued, and taken back by red letters, in part and whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Final

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from accounts.actors.actor import Capability
from accounts.actors.errors import NotAllowed
from accounts.events.models import Event
from accounts.foundation.errors import DomainError, Invalid
from accounts.jobs.models import Job
from accounts.organisations.models import LegalEntity
from billing.contracts import services as contracts
from billing.fapiao import queries, reds, services, titles
from billing.fapiao.errors import (
    CannotBeOnFapiao,
    FapiaoMoveRefused,
    NoSuchFapiao,
    NoSuchTitle,
    NothingToReverse,
    NumberTaken,
    RecordWrong,
    RedLetterWaits,
    TitleEnded,
    TitleIncomplete,
)
from billing.fapiao.models import Fapiao, FapiaoPart, FapiaoTax
from billing.fapiao.rules import Kind, Status
from billing.fapiao.titles import TitleSpec
from billing.invoices import claims, corrections
from billing.invoices import services as invoices
from billing.invoices.corrections import DEMAND_RED_LETTER
from billing.invoices.models import Invoice
from config.audit.fapiao import FAPIAO
from tests.billing import delivery
from tests.billing.delivery import AFTER, SYSTEM, Stage
from tests.billing.fapiao.cast import FULL, LATER, USCC, asked, invoice, number, record, said, stage, title
from tests.catalog import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def lab() -> Stage:
    return stage()


def unsound() -> list[str]:
    with connection.cursor() as cursor:
        return [one.code for one in FAPIAO if one.check(cursor).violations]


def credit(lab: Stage, drawn: Invoice, amount_minor: int | None = None) -> Invoice:
    """Take an invoice back, in part or whole, and do the job that this makes necessary."""
    amounts = None if amount_minor is None else {1: amount_minor}
    note = corrections.credit_invoice(lab.finance, drawn.id, reason="Twice", amounts_minor=amounts, now=LATER)
    assert Job.objects.filter(kind=DEMAND_RED_LETTER, key=str(note.id)).exists()
    reds.demand_for_note(SYSTEM, note.id, now=LATER)
    reds.demand_for_note(SYSTEM, note.id, now=LATER)  # done twice, it asks once
    return note


def refused_fields(error: DomainError) -> list[str]:
    return [problem.pointer for problem in error.problems]


def test_a_fapiao_has_the_sums_and_the_taxes_of_its_invoices_and_gets_the_bureaus_number(lab: Stage) -> None:
    first, second = invoice(lab, "a"), invoice(lab, "b", cards=2)

    fapiao = asked(lab, first, second)

    assert fapiao.total_minor == first.total_minor + second.total_minor
    taxes = FapiaoTax.objects.filter(fapiao=fapiao).values_list("category", "rate_ppm", "base_minor", "tax_minor")
    assert list(taxes) == [("S", 60_000, first.net_minor + second.net_minor, first.tax_minor + second.tax_minor)]
    assert set(queries.outstanding(lab.finance)) == {first, second}
    assert services.begin(lab.finance, fapiao.id, now=AFTER).status == Status.ISSUING
    done = record(lab, fapiao, 7)
    assert (done.status, done.number) == (Status.ISSUED, number(7))
    assert record(lab, fapiao, 7).recorded_at == done.recorded_at  # the same once more changes nothing
    assert not queries.outstanding(lab.finance).exists()
    told = Event.objects.filter(type__startswith="fapiao.", organisation=lab.buyer).order_by("id")
    assert [one.type for one in told] == ["fapiao.requested", "fapiao.issuing", "fapiao.issued"]
    with pytest.raises(FapiaoMoveRefused):
        record(lab, fapiao, 8)
    assert unsound() == []


def test_no_invoice_is_on_two_fapiao_and_each_that_cannot_be_says_why(lab: Stage) -> None:
    first, contested, credited = invoice(lab, "a"), invoice(lab, "b", cards=1), invoice(lab, "c", cards=1)
    fapiao = asked(lab, first)
    claims.dispute(lab.trader, contested.id, reason="Too much", now=AFTER)
    note = credit(lab, credited)
    named = title(lab).id
    ids = [first.id, contested.id, credited.id, note.id, contested.id, fapiao.id]

    with pytest.raises(CannotBeOnFapiao) as error:
        services.ask(lab.trader, named, Kind.ORDINARY, ids, now=LATER)

    assert refused_fields(error.value) == [f"/invoices/{index}" for index in range(6)]
    details = [problem.detail for problem in error.value.problems]
    for text, part in zip(
        details, ("on no fapiao", "contests", "is left", "counted with its", "once", "your organisation"), strict=True
    ):
        assert part in text
    viewer = cast.acting_for(lab.buyer, frozenset({Capability.VIEW_BUYING}))
    with pytest.raises(NotAllowed):
        services.ask(viewer, named, Kind.ORDINARY, [first.id], now=AFTER)
    other = asked(lab, invoice(lab, "d", cards=1))
    # The database has the last word.
    with pytest.raises(IntegrityError, match="fapiao_one_lives_a_document"), transaction.atomic():
        FapiaoPart.objects.create(fapiao=other, document=first, tax_minor=0, total_minor=0, is_live=True)


def test_a_note_of_credits_alone_is_on_no_fapiao_and_demands_no_red_letter(lab: Stage) -> None:
    agreed = delivery.contract(lab, [delivery.slot(lab, 0, 2, 4, 9_000_000)])
    delivery.point(agreed, lab.offering)  # nothing of it is delivered
    contracts.end(SYSTEM, agreed.id, now=AFTER)
    note = invoices.invoice_contract(SYSTEM, agreed.id, now=AFTER)
    assert note is not None
    assert (note.kind, note.corrects_id) == ("credit_note", None)

    with pytest.raises(CannotBeOnFapiao, match="of credits alone"):
        asked(lab, note)
    assert reds.lacking().count() == Job.objects.filter(kind=DEMAND_RED_LETTER).count() == 0
    assert unsound() == []


def test_what_a_refused_fapiao_held_may_be_asked_for_again(lab: Stage) -> None:
    drawn = invoice(lab)
    fapiao = asked(lab, drawn)
    with pytest.raises(NotAllowed):
        services.refuse(lab.trader, fapiao.id, reason="x", now=AFTER)

    services.refuse(lab.finance, fapiao.id, reason="The name is not the tax id's", now=AFTER)

    with pytest.raises(FapiaoMoveRefused):
        record(lab, fapiao, 1)
    assert asked(lab, drawn).status == Status.REQUESTED
    assert unsound() == []


WRONG: Final[tuple[tuple[str, object], ...]] = (
    ("number", "123"),
    ("number", "1234567890123456789\N{ROMAN NUMERAL EIGHT}"),
    ("total_minor", 1),
    ("issued_on", date(2026, 5, 1)),
    ("issued_on", date(2027, 5, 1)),
    ("file_url", "javascript:alert(1)"),
    ("file_sha256", "A" * 64),
)


def test_a_record_that_is_not_what_was_asked_for_names_its_field(lab: Stage) -> None:
    fapiao = asked(lab, invoice(lab))
    right = said(fapiao, 1)
    for name, value in WRONG:
        with pytest.raises(RecordWrong) as error:
            services.record(lab.finance, fapiao.id, replace(right, **{name: value}), now=LATER)  # type: ignore[arg-type]
        assert refused_fields(error.value) == [f"/{name.removesuffix('_minor')}"]


def test_a_number_is_one_fapiaos(lab: Stage) -> None:
    record(lab, asked(lab, invoice(lab, "a")), 1)
    other = asked(lab, invoice(lab, "b"))
    with pytest.raises(NumberTaken):
        record(lab, other, 1)
    assert record(lab, other, 2).status == Status.ISSUED


def test_a_credit_note_on_an_issued_fapiao_demands_its_red_letter(lab: Stage) -> None:
    first, second = invoice(lab, "a"), invoice(lab, "b", cards=1)
    blue = record(lab, asked(lab, first, second), 1)

    note = credit(lab, first, 100_00)

    red = Fapiao.objects.get(red_of=blue)
    assert (red.total_minor, red.reason, red.status) == (note.total_minor, "Twice", Status.REQUESTED)
    assert list(queries.outstanding(lab.finance)) == [note]
    record(lab, red, 2)
    blue.refresh_from_db()
    assert (blue.status, blue.reversed_minor) == (Status.ISSUED, -note.total_minor)
    for left in (first, second):
        credit(lab, left)
    for n, rest in enumerate(Fapiao.objects.filter(red_of=blue, status=Status.REQUESTED), start=3):
        record(lab, rest, n)
    blue.refresh_from_db()
    assert blue.status == Status.REVERSED
    assert not FapiaoPart.objects.filter(is_live=True).exists()
    assert unsound() == []


def test_credit_notes_before_the_issue_are_counted_and_those_in_between_follow_it(lab: Stage) -> None:
    drawn = invoice(lab)
    before = credit(lab, drawn, 100_00)
    fapiao = asked(lab, drawn)
    assert fapiao.total_minor == drawn.total_minor + before.total_minor
    between = credit(lab, drawn, 50_00)
    assert not Fapiao.objects.filter(red_of=fapiao).exists()

    record(lab, fapiao, 1)

    red = Fapiao.objects.get(red_of=fapiao)
    assert red.total_minor == between.total_minor
    services.refuse(lab.finance, red.id, reason="Wrong form", now=LATER)
    assert list(queries.outstanding(lab.finance)) == [between]
    reds.ask_again(lab.finance, fapiao.id, now=LATER)
    with pytest.raises(NothingToReverse):
        reds.ask_again(lab.finance, fapiao.id, now=LATER)
    assert unsound() == []


def test_a_mistake_is_taken_back_for_some_invoices_or_whole_and_these_are_free_again(lab: Stage) -> None:
    first, second = invoice(lab, "a"), invoice(lab, "b", cards=1)
    blue = record(lab, asked(lab, first, second), 1)
    credit(lab, first, 100_00)
    with pytest.raises(RedLetterWaits):
        reds.reverse(lab.finance, blue.id, reason="Wrong title", now=LATER)
    record(lab, Fapiao.objects.get(red_of=blue), 2)

    reds.reverse(lab.finance, blue.id, reason="Wrong title", invoice_ids=[first.id], now=LATER)
    mistake = Fapiao.objects.get(red_of=blue, red_cause="mistake")
    note = credit(lab, first, 10_00)  # waits: its invoice may be off the fapiao soon
    assert Fapiao.objects.filter(red_of=blue).count() == 2
    with pytest.raises(CannotBeOnFapiao):
        asked(lab, first)
    record(lab, mistake, 3)

    again = asked(lab, first)
    assert again.total_minor == first.total_minor + sum(one.total_minor for one in first.notes.all())
    assert note in first.notes.all()
    reds.reverse(lab.finance, blue.id, reason="This one too", now=LATER)
    record(lab, Fapiao.objects.get(red_of=blue, status=Status.REQUESTED), 4)
    blue.refresh_from_db()
    assert blue.status == Status.REVERSED
    assert asked(lab, second).status == Status.REQUESTED
    with pytest.raises(FapiaoMoveRefused):
        reds.reverse(lab.finance, blue.id, reason="Again", now=LATER)
    assert unsound() == []


def test_a_note_that_waited_for_a_mistake_gets_its_red_letter_when_that_is_refused(lab: Stage) -> None:
    drawn = invoice(lab)
    blue = record(lab, asked(lab, drawn), 1)
    mistake = reds.reverse(lab.finance, blue.id, reason="Wrong title", now=LATER)
    note = credit(lab, drawn, 10_00)
    services.refuse(lab.finance, mistake.id, reason="It was right", now=LATER)
    assert Fapiao.objects.get(red_of=blue, status=Status.REQUESTED).total_minor == note.total_minor
    assert unsound() == []


def test_a_special_fapiao_needs_a_title_that_says_everything(lab: Stage) -> None:
    drawn = invoice(lab)
    short = titles.enter(lab.trader, TitleSpec("Beichen", USCC), now=AFTER)
    with pytest.raises(TitleIncomplete, match="address, phone, bank_name, bank_account"):
        services.ask(lab.trader, short.id, Kind.SPECIAL, [drawn.id], now=AFTER)
    titles.end(lab.trader, short.id, now=AFTER)
    with pytest.raises(TitleEnded):
        services.ask(lab.trader, short.id, Kind.ORDINARY, [drawn.id], now=AFTER)
    with pytest.raises(Invalid, match="tax_id"):
        titles.enter(lab.trader, replace(FULL, tax_id=USCC[:-1] + "4"), now=AFTER)
    stranger = cast.acting_for(lab.provider, cast.BUYING)
    with pytest.raises(NoSuchTitle):
        titles.end(stranger, short.id, now=AFTER)
    with pytest.raises(NoSuchFapiao):
        queries.one(stranger, asked(lab, drawn, kind=Kind.SPECIAL).id)


def test_the_database_keeps_what_was_issued(lab: Stage) -> None:
    fapiao = record(lab, asked(lab, invoice(lab)), 1)

    def meddle(**change: object) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            Fapiao.objects.filter(id=fapiao.id).update(**change)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    larger = {"total_minor": fapiao.total_minor + 1, "net_minor": fapiao.net_minor + 1}
    for change, guard in (
        (larger, "billing_fapiao"),
        ({"status": "requested"}, "requested"),
        ({"number": number(9)}, "billing_fapiao"),
        ({"reversed_minor": 1}, "red letters come to 0"),
    ):
        with pytest.raises(DatabaseError, match=guard):
            meddle(**change)


def test_invoices_of_another_seller_or_from_elsewhere_are_not_on_one_fapiao(lab: Stage) -> None:
    first = invoice(lab, "a")
    entity = LegalEntity.objects.filter(organisation=lab.exchange)
    entity.update(legal_name="Second Exchange Ltd", tax_id="another")
    second = invoice(lab, "b", cards=1)
    entity.update(jurisdiction="SG", vat_registered=False)
    third = invoice(lab, "c", cards=1)

    with pytest.raises(CannotBeOnFapiao, match="one seller"):
        asked(lab, first, second)
    with pytest.raises(CannotBeOnFapiao, match="a seller in CN"):
        asked(lab, third)
