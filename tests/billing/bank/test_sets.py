"""A statement imported in sets leaves what importing it movement by movement leaves, for every kind of movement."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.audit.models import AuditRecord
from accounts.events.models import Event
from accounts.foundation.errors import DomainError
from billing.bank import services
from billing.bank.models import BankEntry
from billing.gateway.models import StripePayout
from billing.ledger.models import LedgerEntry
from billing.payments import services as payments
from billing.payments.models import BankReceipt, TopUp
from catalog.measures.money import Money
from tests.billing.bank import slow
from tests.billing.bank.files import ACCOUNT, csv_of
from tests.billing.ledger.books import NOW, check_deferred
from tests.billing.payments import cast
from tests.billing.payments.cast import Cast, line

pytestmark = pytest.mark.django_db

# Few, so that movements of one statement meet: the second of two finds what the first has left.
AMOUNTS = ("20.00", "30.00")
PAYERS = ("CN11", "CN12", "CN12", "")
ORDINARY = (
    "quoted",
    "quoted twice",
    "quoted by nobody",
    "told nothing",
    "told nothing",
    "of Stripe",
    "out",
    "typed",
    "known",
)
KEPT: tuple[Any, ...] = (AuditRecord, Event, LedgerEntry)
REFUSED = ("known otherwise", "typed otherwise", "of another account")


@dataclass(frozen=True)
class Movement:
    """What a row of a random statement is made of."""

    kind: str
    top_up: int
    amount: str
    payer: str


movements = st.builds(
    Movement,
    st.sampled_from(ORDINARY * 8 + REFUSED),
    st.integers(0, 99),
    st.sampled_from(AMOUNTS),
    st.sampled_from(PAYERS),
)


def a_world(people: Cast) -> list[TopUp]:
    """Announce top-ups, and let the bank have shown, a clerk have typed and Stripe have sent some money before."""
    asked = [
        payments.request_top_up(actor, Money(minor, "CNY"), now=NOW)
        for actor, amounts in ((people.trader, (1_000, 1_000, 2_000, 3_000)), (people.stranger, (2_000, 3_000, 5_000)))
        for minor in amounts
    ]
    TopUp.objects.filter(id=asked[-1].id).update(requested_by=people.clerk.user_id)
    before = [payments.request_top_up(actor, Money(700, "CNY"), now=NOW) for actor in (people.trader, people.stranger)]
    rows = [("K1", "7.00", before[0].reference, "CN11"), ("K2", "7.00", before[1].reference, "CN12")]
    rows += [("K3", "7.00", "", "CN13"), ("K4", "-7.00", "", "CN11")]
    slow.import_statement(people.clerk, csv_of(*rows), now=NOW)
    services.import_statement(
        people.clerk, csv_of(("X1", "7.00", "")).replace(ACCOUNT, "CN99 0009"), file_name="x", now=NOW
    )
    for reference, minor in (("T1", 1_000), ("T2", 2_000), ("T3", 3_000)):
        payments.record_receipt(people.clerk, line(minor, bank_reference=reference), now=NOW)
    settled = payments.request_top_up(people.trader, Money(3_000, "CNY"), now=NOW)
    payments.match_receipt(people.clerk, BankReceipt.objects.get(bank_reference="T3").id, top_up_id=settled.id, now=NOW)
    for n, minor in enumerate((5_000, 6_000, 6_000)):
        StripePayout.objects.create(
            stripe_id=f"po_{n}", amount_minor=minor, currency="CNY", is_automatic=True, status="in_transit",
            created_at=NOW, arrives_on=date(2026, 5, 2),
        )  # fmt: skip
    return asked


def spelled(number: int, movement: Movement, asked: list[TopUp]) -> tuple[str, ...]:
    """Return a movement as a row of a statement: the bank's id, the amount, what the payer wrote, and from where."""
    new, n = f"N{number}", movement.top_up
    first, second = asked[n % len(asked)], asked[(n + 1) % len(asked)]
    own = f"{first.amount_minor // 100}.00"
    rows = {
        "quoted": (new, own, f"pays {first.reference}"),
        "quoted twice": (new, own, f"{first.reference} {second.reference}"),
        "quoted by nobody": (new, movement.amount, first.reference),
        "told nothing": (new, movement.amount, ""),
        "of Stripe": (new, ("50.00", "60.00")[n % 2], "STRIPE payout"),
        "out": (new, f"-{movement.amount}", ""),
        "typed": (*(("T1", "10.00"), ("T2", "20.00"), ("T3", "30.00"))[n % 3], ""),
        "known": (*(("K1", "7.00"), ("K4", "-7.00"))[n % 2], ""),
        "known otherwise": ("K2", "7.01", ""),
        "typed otherwise": ("T1", "10.01", ""),
        "of another account": ("X1", "7.00", ""),
    }
    return (*rows[movement.kind], movement.payer)


def once_each(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Leave out what repeats an id of the bank: such a file is not read at all."""
    return list({row[0]: row for row in reversed(rows)}.values())[::-1]


@contextmanager
def undone() -> Iterator[None]:
    """Let what is written inside be as if it had never been."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def left_by(run: Callable[[], object]) -> dict[str, Any]:
    """Return what a way of importing answers and leaves: rows, books, trail and outbox, or its refusal."""
    seen = [set(model.objects.values_list("pk", flat=True)) for model in KEPT]
    with undone():
        try:
            answered = run()
            check_deferred()
        except DomainError as refusal:
            return {"refused": (type(refusal), refusal.detail)}
        records, told, entries = (
            model.objects.exclude(pk__in=known).order_by("pk") for model, known in zip(KEPT, seen, strict=True)
        )
        receipts = BankReceipt.objects.values_list("bank_reference", "status", "top_up", "stripe_payout", "matched_at")
        brought = BankEntry.objects.values_list("account", "bank_reference", "row", "amount_minor", "receipt__status")
        posted = entries.values_list("transaction__purpose", "transaction__memo", "account", "amount_minor")
        by_file = {"bank_statement.import", "bank_statement.imported"}
        return {
            "answered": answered,
            "receipts": list(receipts.order_by("bank_reference")),
            "top-ups": list(TopUp.objects.order_by("id").values_list("id", "status", "confirmed_by", "confirmed_at")),
            "entries": list(brought.order_by("account", "bank_reference")),
            "books": sorted(posted),
            "trail": [
                (row.action, row.actor_label, row.organisation_id) for row in records if row.action not in by_file
            ],
            "outbox": [(row.type, row.organisation_id, row.payload) for row in told if row.type not in by_file],
        }


def test_sets_leave_what_one_after_another_leaves() -> None:
    people = cast.make()
    asked = a_world(people)

    @settings(max_examples=25)
    @given(st.lists(movements, min_size=1, max_size=14))
    def check(made: list[Movement]) -> None:
        text = csv_of(*once_each([spelled(number, movement, asked) for number, movement in enumerate(made)]))
        slowly = left_by(lambda: slow.import_statement(people.clerk, text, now=NOW))
        assert left_by(lambda: in_sets(people, text)) == slowly

    check()


def in_sets(people: Cast, text: str) -> list[services.RowResult]:
    return [row[2] for row in services.import_statement(people.clerk, text, file_name="f", now=NOW).rows]


def test_more_movements_take_no_more_journeys_to_the_database() -> None:
    people = cast.make()
    counts = []
    for first, many in ((0, 2), (10, 60)):
        asked = [payments.request_top_up(people.trader, Money(1_000 + n, "CNY"), now=NOW) for n in range(many)]
        rows = [
            (f"B{first + n}", f"{(1_000 + n) / 100:.2f}", top_up.reference, f"CN{n}") for n, top_up in enumerate(asked)
        ]
        rows += [(f"C{first + n}", "1.00", "", f"CN{n}") for n in range(many)]
        with CaptureQueriesContext(
            connection,
        ) as asked_for:
            services.import_statement(people.clerk, csv_of(*rows), file_name="f", now=NOW)
        counts.append(len(asked_for))
    assert counts[1] <= counts[0]
