"""The audit trail: what it says, and that its chains show every change."""

import hashlib
import json
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import connection, transaction

from accounts.audit import queries, services
from accounts.audit.models import AuditChain, AuditLink, AuditRecord
from accounts.foundation import ids
from accounts.organisations.models import Organisation, User
from accounts.organisations.rules import OrganisationStatus
from tests.accounts import cast
from tests.accounts.cast import NOW
from tests.races.together import together


def test_a_record_says_who_changed_what_and_when_in_canonical_json(lab_admin: User) -> None:
    actor = cast.acting(lab_admin)
    subject = ids.new_id()

    written = services.record(
        actor,
        "order.amend",
        "order",
        subject,
        {"limit": Decimal("12.50"), "at": NOW, "huge": 2**60},
        {"limit": Decimal("13.00"), "tags": frozenset({"b", "a"}), "status": OrganisationStatus.ACTIVE},
        now=NOW,
    )

    stored = AuditRecord.objects.get(pk=written.pk)
    assert json.loads(stored.text) == {
        "id": str(stored.id),
        "at": "2026-05-01T04:00:00Z",
        "actor": ids.spell("usr", lab_admin.id),
        "organisation": str(actor.organisation_id),
        "action": "order.amend",
        "subject": {"type": "order", "id": str(subject)},
        "before": {"limit": "12.50", "at": "2026-05-01T04:00:00Z", "huge": str(2**60)},
        "after": {"limit": "13.00", "tags": ["a", "b"], "status": "active"},
        "origin": None,
    }
    assert stored.text == json.dumps(json.loads(stored.text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def test_floats_have_no_place_in_the_trail(lab_admin: User) -> None:
    with pytest.raises(AssertionError):
        services.record(cast.acting(lab_admin), "x.y", "order", ids.new_id(), None, {"price": 1.5}, now=NOW)


def test_an_administrator_sees_the_own_records_and_a_lesser_colleague_none(
    lab_admin: User, viewer: User, stranger: User, platform_admin: User
) -> None:
    services.record(cast.acting(lab_admin), "secret.deed", "order", ids.new_id(), None, None, now=NOW)

    def sees(user: User) -> bool:
        return queries.visible_to(cast.acting(user)).filter(action="secret.deed").exists()

    assert [sees(user) for user in (lab_admin, viewer, stranger, platform_admin)] == [True, False, False, True]


def _broken_links() -> list[str]:
    """Recompute every chain from its first link, slowly."""
    wrong = []
    for chain in AuditChain.objects.all():
        previous = bytes(32)
        links = AuditLink.objects.filter(shard=chain.shard).order_by("n").select_related("record")
        for position, link in enumerate(links, start=1):
            digest = hashlib.sha256(previous + link.record.text.encode()).digest()
            if (link.n, bytes(link.previous_hash), bytes(link.hash)) != (position, previous, digest):
                wrong.append(str(link))
            previous = digest
        if (chain.n, bytes(chain.hash)) != (len(links), previous):
            wrong.append(str(chain))
    return wrong


@pytest.mark.django_db(transaction=True)
def test_each_committed_record_has_its_place_in_a_chain() -> None:
    lab = cast.organisation("Beichen AI Lab")
    with transaction.atomic():
        for number in range(3):
            services.record(cast.SYSTEM, "test.deed", "order", lab.id, None, {"number": number}, now=NOW)
    with transaction.atomic():
        services.record(cast.SYSTEM, "undone.deed", "order", lab.id, None, None, now=NOW)
        transaction.set_rollback(True)

    assert AuditLink.objects.count() == AuditRecord.objects.count() > 3
    assert not AuditRecord.objects.filter(action="undone.deed").exists()
    assert _broken_links() == []


@pytest.mark.django_db(transaction=True)
def test_records_of_one_transaction_stand_in_one_chain_with_those_of_its_savepoints() -> None:
    lab = cast.organisation("Beichen AI Lab")

    def made() -> AuditRecord:
        return services.of(cast.SYSTEM, "test.deed", "order", lab.id, None, None, now=NOW)

    with transaction.atomic():
        late = made()
        services.record_all([made()])
        with transaction.atomic():
            services.record_all([made(), made()])
        with transaction.atomic():
            services.record_all([made()])
            transaction.set_rollback(True)
        services.record_all([made(), late])

    links = AuditLink.objects.filter(record__action="test.deed").order_by("n")
    assert AuditLink.objects.count() == AuditRecord.objects.count()
    assert [link.n - links[0].n for link in links] == [0, 1, 2, 3, 4]
    assert len({link.shard for link in links}) == 1
    assert _broken_links() == []


@pytest.mark.django_db(transaction=True)
def test_transactions_at_the_same_time_neither_fork_a_chain_nor_wait_for_each_other_for_ever() -> None:
    lab = cast.organisation("Beichen AI Lab")

    def work(worker: int) -> None:
        for number in range(10):
            with transaction.atomic():
                for part in range(2):
                    at = NOW + timedelta(seconds=number)
                    after = {"worker": worker, "part": part}
                    services.record(cast.SYSTEM, "race.deed", "order", lab.id, None, after, now=at)

    together([partial(work, worker) for worker in range(6)], in_transaction=False)

    assert AuditRecord.objects.filter(action="race.deed").count() == 120
    assert _broken_links() == []


@pytest.mark.django_db(transaction=True)
def test_the_application_cannot_link_records_itself() -> None:
    Organisation.objects.count()
    with pytest.raises(Exception, match="permission denied"), connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_auditchain SET n = 5")
