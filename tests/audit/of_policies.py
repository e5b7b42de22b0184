"""Corruptions of the rules that money goes by: of a change that made the first tax rate."""

from typing import Final

from tests.audit.corruption import again, corruption, one

_CHANGE: Final = (
    "INSERT INTO billing_policychange (id, kind, said, reason, status, row_id, proposed_by_id, decided_by_id,"
    " created_at, decided_at) SELECT id, 'tax_rate', jsonb_build_object('jurisdiction', jurisdiction, 'category',"
    " category, 'percent', rate_ppm / 10000, 'effective_from', effective_from, 'effective_to', ''), 'x', 'approved',"
    " id, gen_random_uuid(), gen_random_uuid(), effective_from, effective_from FROM billing_taxrate"
    " WHERE category = 'S'"
)

_LIMIT: Final = (
    "INSERT INTO billing_policychange (id, kind, said, reason, status, row_id, proposed_by_id, decided_by_id,"
    " created_at, decided_at) SELECT id, 'refund_limit', jsonb_build_object('currency', currency, 'alone_up_to',"
    " alone_up_to_minor / 100, 'effective_from', effective_from), 'x', 'approved', id, gen_random_uuid(),"
    " gen_random_uuid(), effective_from, effective_from FROM billing_refundpolicy ORDER BY id LIMIT 1"
)

CORRUPTIONS: Final = (
    corruption(
        "T1",
        "a rate is not what was agreed",
        _CHANGE,
        one("billing_taxrate", "rate_ppm = 1", where="category = 'S'"),
    ),
    corruption("T1", "a rate that was agreed on is lost", _CHANGE, "DELETE FROM billing_taxrate WHERE category = 'S'"),
    corruption("T1", "one person did it", _CHANGE, one("billing_policychange", "decided_by_id = proposed_by_id")),
    corruption("T1", "nobody decided", _CHANGE, one("billing_policychange", "decided_by_id = NULL")),
    corruption("T1", "two rates hold at a time", again("billing_taxrate")),
    corruption("T1", "a limit is not what was agreed", _LIMIT,
               "UPDATE billing_refundpolicy SET alone_up_to_minor = alone_up_to_minor + 1"),
    corruption("T1", "a limit was agreed in a currency of other coins", _LIMIT,
               "UPDATE billing_policychange SET said = said || '{\"currency\": \"KWD\"}'"),
    corruption("T1", "a limit that was agreed is lost", _LIMIT, "DELETE FROM billing_refundpolicy"),
)  # fmt: skip
