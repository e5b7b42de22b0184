"""The issuing service over real HTTP: whatever is lost on the way, a fapiao is issued there once and known here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from accounts.events.models import Event
from accounts.foundation import clock, ids
from accounts.jobs import services as jobs
from accounts.jobs.models import Job
from billing.fapiao import calls, opening, services
from billing.fapiao.errors import AtTheIssuer, IssuerUnclear
from billing.fapiao.issuer import HttpIssuer
from billing.fapiao.models import Fapiao, FapiaoCall
from billing.fapiao.rules import CallState, Status
from tests.billing.delivery import AFTER, Stage
from tests.billing.fapiao import issuing_service
from tests.billing.fapiao.cast import LATER, asked, invoice, number, record, stage
from tests.billing.fapiao.issuing_service import TOKEN, Service

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)
DAY = "2026-05-12"


@pytest.fixture
def service(settings: Any) -> Iterator[Service]:
    with issuing_service.running() as one:
        settings.FAPIAO_ISSUER = "http"
        settings.FAPIAO_ISSUER_URL = one.address
        settings.FAPIAO_ISSUER_TOKEN = TOKEN
        yield one


@pytest.fixture
def lab() -> Stage:
    return stage()


def fresh(fapiao: Fapiao) -> Fapiao:
    return Fapiao.objects.select_related("call").get(id=fapiao.id)


def test_what_is_lost_on_the_way_is_looked_for_and_issued_once(lab: Stage, service: Service) -> None:
    fapiao = asked(lab, invoice(lab))
    key = ids.spell("fap", fapiao.id)
    assert Job.objects.get(kind=opening.SEND_FAPIAO).key == str(fapiao.id)
    service.faults = ["lost_request", "500", "404", "lost_answer", "garbage"]

    with clock.travel(AFTER):
        jobs.run_due(limit=5, now=AFTER)  # the request is lost
    call = FapiaoCall.objects.get()
    assert (call.state, fresh(fapiao).status) == (CallState.SENT, Status.ISSUING)
    assert "did not answer" in call.problem
    with pytest.raises(AtTheIssuer):
        services.refuse(lab.finance, fapiao.id, reason="x", now=AFTER)
    for step in range(1, 4):  # an error; then nothing is there and the answer to the second request is lost; garbage
        assert calls.poll(now=AFTER + step * MINUTE) == 1
    assert calls.poll(now=AFTER + 3 * MINUTE) == 0  # looked at a moment ago
    calls.poll(now=AFTER + 4 * MINUTE)
    assert FapiaoCall.objects.get().problem == ""
    service.issue(key, number(5), DAY, file_url="https://tax.example/5.ofd", file_sha256="ab" * 32)
    calls.poll(now=LATER)

    done = fresh(fapiao)
    assert (done.status, done.number, done.file_sha256) == (Status.ISSUED, number(5), "ab" * 32)
    assert done.call.state == CallState.ANSWERED
    assert [method for method, _ in service.asked] == ["POST", "GET", "GET", "POST", "GET", "GET", "GET"]
    assert {asked_key for _, asked_key in service.asked} == {key}
    assert len(service.bodies[key]) == 1  # the same body each time
    assert calls.poll(now=LATER + MINUTE) == 0
    calls.push(fapiao.id, now=LATER)  # a second worker that comes late
    assert len(service.asked) == 7


def test_a_call_whose_worker_died_before_it_was_sent_is_sent_by_the_poller(lab: Stage, service: Service) -> None:
    fapiao = asked(lab, invoice(lab))
    Job.objects.filter(kind=opening.SEND_FAPIAO).delete()
    assert calls.poll(now=AFTER) == 0
    calls.poll(now=AFTER + MINUTE)
    key = ids.spell("fap", fapiao.id)
    service.refuse(key, "The title is not known")
    calls.poll(now=AFTER + 2 * MINUTE)
    assert (fresh(fapiao).status, fresh(fapiao).refusal) == (Status.REFUSED, "The title is not known")
    # A state that was reached is not left again, whatever the service says later.
    service.issue(key, number(6), DAY)
    calls.push(fapiao.id, now=LATER)
    assert fresh(fapiao).status == Status.REFUSED


def test_an_answer_that_is_not_what_was_asked_for_is_told_to_staff_once(lab: Stage, service: Service) -> None:
    fapiao = asked(lab, invoice(lab))
    calls.push(fapiao.id, now=AFTER)
    key = ids.spell("fap", fapiao.id)
    for wrong in ({"total": "1.00"}, {"number": "7"}, {"total": "1e3"}, {"issued_on": "yesterday"}, {"key": "other"}):
        service.issue(key, number(8), DAY)
        service.fapiao[key] |= wrong
        calls.push(fapiao.id, now=LATER)
        calls.push(fapiao.id, now=LATER)
        assert next(iter(wrong)) in FapiaoCall.objects.get().problem
        service.fapiao[key]["key"] = key
    assert fresh(fapiao).status == Status.ISSUING
    assert Event.objects.filter(type="fapiao.contradicted", organisation=None).count() == 2
    # A person may see at the service what was issued, and record it.
    record(lab, fapiao, 9)
    assert fresh(fapiao).call.state == CallState.ANSWERED


def test_a_service_that_is_not_there_is_unclear_and_no_error(lab: Stage, settings: Any) -> None:
    settings.FAPIAO_ISSUER, settings.FAPIAO_ISSUER_URL = "http", "http://127.0.0.1:9"
    fapiao = asked(lab, invoice(lab))
    calls.push(fapiao.id, now=AFTER)
    assert "ConnectionRefusedError" in FapiaoCall.objects.get().problem
    with pytest.raises(IssuerUnclear):
        HttpIssuer("http://127.0.0.1:9", TOKEN).look("x")
    settings.FAPIAO_ISSUER = "manual"
    assert calls.poll(now=LATER) == 0
