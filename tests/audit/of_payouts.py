"""Corruptions of payouts: of one that pays the story's first statement, written down as if it had been paid."""

from typing import Final

from tests.audit.corruption import corruption, one

_RELEASED: Final = (
    "UPDATE billing_statementrelease SET released_at = due_at WHERE id ="
    " (SELECT id FROM billing_statementrelease ORDER BY id LIMIT 1)"
)


def _payout(status: str = "approved", amount: str = "r.amount_minor", **more: str) -> str:
    """A payout of the first release; `more` names further columns."""
    columns = {
        "id": "r.id", "organisation_id": "r.organisation_id", "currency": "r.currency", "status": f"'{status}'",
        "amount_minor": amount, "opened_at": "r.due_at", "due_at": "r.due_at",
        "two_people_above_minor": "r.amount_minor",
        "approved_by_id": "gen_random_uuid()", "approved_at": "r.due_at", "method": "''", "bank_reference": "''",
        "failure": "''",
    } | more  # fmt: skip
    return (
        f"INSERT INTO billing_payout ({', '.join(columns)}) SELECT {', '.join(columns.values())}"
        " FROM billing_statementrelease r ORDER BY id LIMIT 1"
    )


_ITEM: Final = (
    "INSERT INTO billing_payoutitem (id, part, amount_minor, payout_id, release_id)"
    " SELECT gen_random_uuid(), 'release', amount_minor, id, id FROM billing_statementrelease ORDER BY id LIMIT 1"
)
_BALANCE: Final = (
    "INSERT INTO billing_providerbalance (id, organisation_id, currency, released_minor, committed_minor,"
    " shortfall_minor) SELECT gen_random_uuid(), organisation_id, currency, amount_minor, amount_minor, 0"
    " FROM billing_statementrelease ORDER BY id LIMIT 1"
)
_ACCOUNT: Final = (
    "INSERT INTO billing_payoutdestination (id, organisation_id, holder, bank_name, bank_code, account_sealed,"
    " account_ending, created_by_id, created_at) SELECT id, organisation_id, 'x', 'x', 'x', '', 'x', id,"
    " due_at - interval '1 hour' FROM billing_statementrelease ORDER BY id LIMIT 1"
)

_DISPUTE: Final = (
    "INSERT INTO billing_invoicedispute (id, invoice_id, reason, opened_by, opened_at, resolution, resolution_reason,"
    " resolved_by) SELECT r.id, i.id, 'x', 'x', i.issued_at, '', '', '' FROM billing_statementrelease r"
    " JOIN billing_invoice s ON s.id = r.statement_id JOIN billing_invoice i ON i.contract_id = s.contract_id"
    " AND i.side = 'customer' ORDER BY r.id LIMIT 1"
)
_HOLD: Final = (
    "INSERT INTO billing_disputehold (id, release_id, dispute_id, amount_minor, created_at)"
    " SELECT r.id, r.id, d.id, {amount}, d.opened_at FROM billing_invoicedispute d"
    " JOIN billing_statementrelease r ON r.id = d.id"
)
_RESOLVED: Final = "UPDATE billing_invoicedispute SET resolution = 'rejected', resolved_at = opened_at"

CORRUPTIONS: Final = (
    corruption(
        "P4",
        "a payout was sent an hour after its account was entered",
        _ACCOUNT,
        _payout("in_transit", method="'bank'", destination_id="r.id", sent_at="r.due_at",
                destination_changed_at="r.due_at - interval '1 hour'"),
    ),
    corruption(
        "P4",
        "a payout was sent to nobody's account",
        _payout("in_transit", method="'bank'", sent_at="r.due_at",
                destination_changed_at="r.created_at - interval '9 days'"),
    ),
    corruption("P6", "a payout has no items", _payout()),
    corruption("P6", "a payout is a fen more than its items", _RELEASED, _ITEM, _payout(amount="r.amount_minor + 1")),
    corruption("P6", "a part of a statement is paid twice", _RELEASED, _ITEM, _ITEM,
               _payout(amount="2 * r.amount_minor")),
    corruption("P6", "what was released is in no payout", _RELEASED),
    corruption("P6", "a payout in transit was not posted", _RELEASED, _ITEM, _payout("in_transit")),
    corruption("P6", "a payout through Stripe has no transfer", _RELEASED, _ITEM,
               _payout("in_transit", method="'stripe'", sent_at="r.due_at", destination_changed_at="r.created_at")),
    corruption("P7", "a balance says more than was released", _BALANCE),
    corruption("P7", "a payout is committed and its balance does not say so", _RELEASED, _payout(), _BALANCE,
               one("billing_providerbalance", "committed_minor = 0")),
    corruption("P7", "a payout was approved by who made it due",
               _payout("due", made_due_by_id="r.id", approved_by_id="r.id")),
    corruption("P7", "a payout above the limit was approved by one person", _payout(two_people_above_minor="0")),
    corruption("P15", "a dispute holds nothing", _DISPUTE),
    corruption("P15", "a resolved dispute still holds", _DISPUTE, _HOLD.format(amount=1), _RESOLVED),
    corruption("P15", "more is held than there is", _DISPUTE, _HOLD.format(amount="r.amount_minor + 1")),
    corruption("P15", "what is released is not held", _DISPUTE, _HOLD.format(amount=1), _RELEASED),
    corruption(
        "P15", "what is held was not posted", _DISPUTE, _HOLD.format(amount=1), _RELEASED,
        "UPDATE billing_disputehold SET held_at = created_at",
    ),
)  # fmt: skip
