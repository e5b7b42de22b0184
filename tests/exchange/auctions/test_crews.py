"""A book that is searched in waves by real worker processes: the same bytes as in one process."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import Count

from accounts.foundation import clock
from accounts.jobs.models import Job
from benchmarks.books import recipe
from benchmarks.rounds import crew
from exchange.auctions.models import SearchWave
from exchange.auctions.waves import COMPUTE_BATCH
from exchange.clearing import engine
from exchange.rounds.models import RoundOutcome
from tests.exchange import cast
from tests.exchange.cast import GATE, NOW


def helped(outcome: RoundOutcome) -> int:
    """Return how many batches were done as jobs before the round was cleared: by others than who cleared it."""
    keys = [str(batch.id) for wave in SearchWave.objects.filter(round=outcome.round_id) for batch in wave.batches.all()]
    return Job.objects.filter(kind=COMPUTE_BATCH, key__in=keys, finished_at__lt=outcome.created_at).count()


@pytest.mark.django_db(transaction=True)
def test_two_worker_processes_one_of_them_and_no_rows_at_all_give_the_same_bytes(
    process_environment: dict[str, str],
) -> None:
    with clock.travel(NOW), transaction.atomic():
        market = cast.make_story().market
    book = crew.named(recipe.book(recipe.Size(orders=450, offers=60, slots=8), 4))
    with crew.hired(2, environment=process_environment):
        by_two = crew.awaited(crew.frozen(market, book, gate=GATE))
    with crew.hired(1, environment=process_environment):
        by_one = crew.awaited(crew.frozen(market, book, gate=GATE + timedelta(days=1)))

    assert SearchWave.objects.annotate(parts=Count("batches")).filter(parts__gt=1).count() >= 2
    assert helped(by_two) > 0 == helped(by_one)
    assert by_two.text == by_one.text == engine.clear(book).outcome.canonical_bytes().decode()
