"""Corruptions of closed months, of entries by hand and of breaks."""

from typing import Final

from tests.audit.corruption import corruption


def _closed(count: str, at: str = "'2026-12-01Z'", by: str = "gen_random_uuid()") -> str:
    return (
        "INSERT INTO billing_accountingperiod (id, month, starts_at, ends_at, status, closed_at, closed_by_id,"
        " transaction_count, checklist) SELECT gen_random_uuid(), '2026-11-01', '2026-10-31 16:00Z',"
        f" '2026-11-30 16:00Z', 'closed', {at}, {by}, {count}, '[]' FROM billing_ledgertransaction"
    )


def _journal(status: str, decided_by: str, *, posted: bool) -> str:
    """An entry by hand of one person for the first top-up's posting, which is then the journal's, or not."""
    transaction = "t.id" if posted else "NULL"
    return (
        "INSERT INTO billing_manualjournal (id, kind, currency, effective_at, reason, subject_type, proposed_by_id,"
        " proposed_at, status, decided_by_id, decided_at, transaction_id) SELECT t.source_id, 'adjustment', 'CNY',"
        f" t.effective_at, 'x', '', t.id, t.posted_at, '{status}', {decided_by}, t.posted_at, {transaction}"
        " FROM billing_ledgertransaction t WHERE source_type = 'top_up' ORDER BY id LIMIT 1"
    )


_AS_JOURNAL: Final = (
    "UPDATE billing_ledgertransaction SET source_type = 'journal' WHERE id ="
    " (SELECT id FROM billing_ledgertransaction WHERE source_type = 'top_up' ORDER BY id LIMIT 1)"
)


def _break(status: str, explanation: str, by: str, times: int = 1) -> str:
    return (
        "INSERT INTO billing_break (id, kind, subject_key, subject_type, currency, cause, count, since, found_in_id,"
        " seen_in_id, status, explanation, resolved_by_id, resolved_at) SELECT gen_random_uuid(), 'x', 'y', '', 'CNY',"
        f" 'z', 1, now(), gen_random_uuid(), gen_random_uuid(), '{status}', '{explanation}', {by}, now()"
        f" FROM generate_series(1, {times})"
    )


CORRUPTIONS: Final = (
    corruption("L13", "a posting came into a closed month", _closed("count(*) - 1")),
    corruption("L13", "a month was closed before its end", _closed("count(*)", at="'2026-11-29Z'")),
    corruption("L13", "a month was closed by nobody", _closed("count(*)", by="NULL")),
    corruption(
        "L13",
        "a month was reopened by one person",
        "INSERT INTO billing_periodreopening (id, reason, status, requested_at, decided_at, requested_by_id,"
        " decided_by_id, period_id) SELECT id, 'x', 'approved', posted_at, posted_at, id, id, id"
        " FROM billing_ledgertransaction LIMIT 1",
    ),
    corruption("L14", "an entry is posted by one person", _journal("posted", "t.id", posted=True)),
    corruption("L14", "a posted entry has no posting", _journal("posted", "gen_random_uuid()", posted=False)),
    corruption(
        "L14",
        "a posting has an entry that was declined",
        _AS_JOURNAL,
        _journal("declined", "t.id", posted=False).replace("'top_up'", "'journal'"),
    ),
    corruption(
        "L14",
        "an entry was posted with other lines",
        _AS_JOURNAL,
        _journal("posted", "gen_random_uuid()", posted=True).replace("'top_up'", "'journal'"),
    ),
    corruption("R1", "a difference has two open breaks", _break("open", "", "NULL", times=2)),
    corruption("R1", "a break was closed without a word", _break("explained", "", "gen_random_uuid()")),
    corruption("R1", "a break was closed by nobody", _break("explained", "x", "NULL")),
    corruption("R1", "a break was written off without an entry", _break("written_off", "x", "gen_random_uuid()")),
)
