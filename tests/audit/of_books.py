"""Corruptions of the ledger, of holds and of money that came in or goes out."""

from typing import Final

from tests.audit.corruption import again, corruption, lost, one

_OTHER_ORGANISATION: Final = "(SELECT id FROM accounts_organisation WHERE can_operate)"

CORRUPTIONS: Final = (
    corruption("L1", "an entry moves a fen more", one("billing_ledgerentry", "amount_minor = amount_minor + 1")),
    corruption("L1", "an entry is lost", lost("billing_ledgerentry")),
    corruption(
        "L1",
        "a transaction has no entries",
        "DELETE FROM billing_ledgerentry WHERE transaction_id = (SELECT id FROM billing_ledgertransaction LIMIT 1)",
    ),
    corruption(
        "L2", "an entry is in another currency than its account", one("billing_ledgerentry", "currency = 'USD'")
    ),
    corruption("L2", "an entry has no account", one("billing_ledgerentry", "account_id = gen_random_uuid()")),
    corruption("L3", "a balance is a fen too high", one("billing_account", "balance_minor = balance_minor + 1")),
    corruption("L3", "more is held than holds say", one("billing_account", "held_minor = held_minor + 1")),
    corruption(
        "L3", "an account counts an entry that is not there", one("billing_account", "entry_count = entry_count + 1")
    ),
    corruption("L3", "an account's entries have a gap", one("billing_ledgerentry", "account_n = account_n + 10")),
    corruption(
        "L3",
        "an entry remembers another balance",
        one("billing_ledgerentry", "balance_after_minor = balance_after_minor + 1"),
    ),
    corruption(
        "L4", "a wallet is spent beyond its funds", one("billing_account", "balance_minor = 1", where="code = '2000'")
    ),
    corruption(
        "L4",
        "more is held than is there",
        one("billing_account", "held_minor = 1 - balance_minor", where="code = '2000'"),
    ),
    corruption("L5", "a hold has a fen left", one("billing_hold", "amount_minor = 1")),
    corruption(
        "L5",
        "a capture is forgotten",
        one("billing_hold", "captured_minor = captured_minor - 1", where="captured_minor > 0"),
    ),
    corruption("L5", "a release is counted twice", one("billing_hold", "released_minor = released_minor + 1")),
    corruption("L5", "an empty hold stays open", one("billing_hold", "closed_at = NULL")),
    corruption("L5", "a hold has no history", "DELETE FROM billing_holdevent"),
    corruption("L5", "a step of a hold moves more", one("billing_holdevent", "amount_minor = amount_minor + 1")),
    corruption("L8", "a top-up is posted twice", again("billing_ledgertransaction", where="source_type = 'top_up'")),
    corruption(
        "L8",
        "an invoice that does not exist is posted",
        one("billing_ledgertransaction", "source_id = gen_random_uuid()", where="source_type = 'invoice'"),
    ),
    corruption(
        "L8",
        "a statement is posted as an invoice",
        one(
            "billing_ledgertransaction", "source_type = 'invoice', purpose = 'again'", where="source_type = 'statement'"
        ),
    ),
    corruption("L9", "money appears", one("billing_ledgerentry", "amount_minor = amount_minor - 1")),
    corruption(
        "L9",
        "a receipt is unmatched and not in suspense",
        one("billing_bankreceipt", "status = 'unmatched', top_up_id = NULL"),
    ),
    corruption(
        "L11",
        "a hold is of another organisation than its wallet",
        one("billing_hold", f"organisation_id = {_OTHER_ORGANISATION}"),
    ),
    corruption("L11", "a hold is in another currency than its wallet", one("billing_hold", "currency = 'USD'")),
    corruption(
        "L11",
        "a hold is on an account that is no wallet",
        one("billing_hold", "account_id = (SELECT id FROM billing_account WHERE code <> '2000' ORDER BY id LIMIT 1)"),
    ),
    corruption(
        "L12",
        "a reversal does not negate what it reverses",
        one(
            "billing_ledgertransaction",
            "reversal_of_id = (SELECT id FROM billing_ledgertransaction WHERE source_type = 'statement' LIMIT 1)",
            where="source_type = 'top_up'",
        ),
    ),
    corruption(
        "L12",
        "a transaction is reversed twice",
        "UPDATE billing_ledgertransaction SET reversal_of_id ="
        " (SELECT id FROM billing_ledgertransaction WHERE source_type = 'statement' LIMIT 1)"
        " WHERE source_type = 'top_up'",
    ),
    corruption("P1", "a top-up is larger than its posting", one("billing_topup", "amount_minor = amount_minor + 1")),
    corruption(
        "P1",
        "a top-up is confirmed by who asked for it",
        "UPDATE billing_topup SET confirmed_by_id = id, requested_by_id = id",
    ),
    corruption("P1", "a cancelled top-up is in the wallet", one("billing_topup", "status = 'cancelled'")),
    corruption("P1", "a returned top-up is still in the wallet", one("billing_topup", "status = 'returned'")),
    corruption(
        "P1",
        "a top-up is in another wallet",
        one("billing_topup", "organisation_id = (SELECT max(t.organisation_id::text)::uuid FROM billing_topup t)"),
    ),
    corruption(
        "P2",
        "a release is larger than its statement",
        one("billing_statementrelease", "amount_minor = amount_minor + 1"),
    ),
    corruption(
        "P2",
        "a release is before its time",
        one("billing_statementrelease", "released_at = due_at - interval '1 second'"),
    ),
    corruption("P2", "a release was not posted", one("billing_statementrelease", "released_at = due_at")),
    corruption("P2", "a statement is never released", lost("billing_statementrelease")),
    corruption(
        "P2",
        "a release goes to somebody else",
        one("billing_statementrelease", f"organisation_id = {_OTHER_ORGANISATION}"),
    ),
)
