"""Corruptions of budgets and credit. The story has neither, so each writes its own rows."""

from typing import Final

from tests.audit.corruption import corruption, one

_PROJECT: Final = "(SELECT project_id FROM billing_hold ORDER BY id LIMIT 1)"
_BUDGET: Final = (
    "INSERT INTO billing_projectbudget (id, project_id, currency, limit_minor, held_minor, captured_minor,"
    " extras_minor, credited_minor, overrun_minor, changed_at) SELECT gen_random_uuid(), project_id, 'CNY', {limit},"
    " sum(amount_minor) + {held}, sum(captured_minor) + {captured}, {extras}, 0, 0, exchange_now() FROM billing_hold"
    f" WHERE project_id = {_PROJECT} GROUP BY project_id"
)
_CHANGE: Final = (
    "INSERT INTO billing_creditlimitchange (id, organisation_id, currency, limit_minor, reason, status, proposed_by_id,"
    " decided_by_id, created_at, decided_at) SELECT gen_random_uuid(), organisation_id, 'CNY', 0, 'x', 'approved',"
    " id, id, exchange_now(), exchange_now() FROM billing_account WHERE code = '2000' ORDER BY id LIMIT 1"
)
_ENOUGH: Final = 10**12
_LANDING: Final = (
    "INSERT INTO billing_walletlanding (id, organisation_id, currency, status, began_at, stops_at, releases_at,"
    " stopped_at) SELECT gen_random_uuid(), organisation_id, currency, 'stopped', created_at - interval '9 days',"
    " created_at - interval '{stops}', created_at + interval '9 days', created_at - interval '5 days'"
    " FROM billing_hold ORDER BY id LIMIT 1"
)

CORRUPTIONS: Final = (
    corruption("W1", "more is held than the budget says", _BUDGET.format(limit=_ENOUGH, held=-1, captured=0, extras=0)),
    corruption("W1", "a capture is not counted", _BUDGET.format(limit=_ENOUGH, held=0, captured=-1, extras=0)),
    corruption("W1", "extras were never invoiced", _BUDGET.format(limit=_ENOUGH, held=0, captured=0, extras=10**9)),
    corruption(
        "W1",
        "more is credited than notes gave back",
        _BUDGET.format(limit=_ENOUGH, held=0, captured=0, extras=0),
        "UPDATE billing_projectbudget b SET credited_minor = 1, extras_minor = greatest(0, (SELECT sum(total_minor)"
        " FROM billing_invoice i WHERE i.project_id = b.project_id AND side = 'customer') - captured_minor)",
    ),
    corruption("W1", "a budget is overshot", _BUDGET.format(limit=0, held=0, captured=0, extras=0)),
    corruption(
        "W2", "credit was given by nobody", one("billing_account", "credit_limit_minor = 1", where="code = '2000'")
    ),
    corruption("W2", "one person decided alone", _CHANGE),
    corruption("W3", "a wallet was stopped before its time", _LANDING.format(stops="2 days")),
    corruption("W3", "a stopped wallet held more", _LANDING.format(stops="6 days")),
)
