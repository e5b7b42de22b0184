"""A quarter of the demo market in a database of its own, with a little money in other currencies."""

from datetime import date
from typing import Final

from django.db import transaction

from accounts.foundation import clock, ids
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.rules import Source, credit, debit
from exchange.demo import months
from exchange.demo.cast import Cast
from tests import databases
from tests.audit.stage import pointed_at
from tests.environment import run_id, worker_id

FIRST: Final = date(2026, 4, 1)


def played() -> tuple[str, Cast]:
    """Play the quarter and return where it is and who took part."""
    name = f"test_{run_id()}_{worker_id()}_quarter"
    with pointed_at(name):
        databases.renew(name)
        cast = months.play(FIRST, months=3, plain_days=())
        _pay_in_other_currencies(cast)
    return name, cast


@transaction.atomic
def _pay_in_other_currencies(cast: Cast) -> None:
    """Let money arrive in a currency of two decimals and in one of none."""
    for currency, amount_minor in (("USD", 123_45), ("JPY", 50_000)):
        ledger.post(
            Source("top_up", ids.new_id(), "confirm"),
            [debit(Code.BANK, amount_minor), credit(Code.WALLET, amount_minor, cast.beichen.id)],
            currency=currency,
            effective_at=clock.now(),
            now=clock.now(),
            memo='A "quoted" \\ memo; with | signs\nand lines',
        )
