"""A top-up and the next stage at the same moment: whichever comes second sees the other."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import transaction

from accounts.events.models import Event
from billing.landings import services
from billing.landings.models import WalletLanding
from tests.billing.ledger.books import NOW, invoice, party, top_up
from tests.races.together import together

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_top_up_and_the_next_stage_at_the_same_moment() -> None:
    lab, due = party("Beichen AI Lab"), NOW + timedelta(hours=72)
    top_up(lab, 1_000)
    for _ in range(4):
        with transaction.atomic():
            invoice(lab, 1_500, extras_minor=1_500)
        services.watch(now=NOW)
        together([partial(services.watch, now=due), partial(top_up, lab, 1_500), partial(services.watch, now=due)])
        # Stopped just before the money came, or lifted just after: never stopped with enough in the wallet.
        services.watch(now=due)
        assert WalletLanding.objects.latest("id").status == "lifted"
    told = list(Event.objects.filter(type__startswith="wallet.").order_by("id").values_list("type", flat=True))
    assert told.count("wallet.grace") == told.count("wallet.lifted") == 4
    assert told.count("wallet.stopped") <= 4
    assert "wallet.releasing" not in told
