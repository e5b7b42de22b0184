"""Invariants of closed months, of entries by hand and of breaks (L, R)."""

from typing import Final

from config.audit.invariants import by_query

WORKBENCH: Final = (
    by_query(
        "L13",
        "a closed month and those before it have exactly the postings they were closed with",
        "closed months",
        counted="SELECT count(*) FROM billing_accountingperiod WHERE status = 'closed'",
        violations="""
            SELECT p.id, format('closed with %s postings and has %s', p.transaction_count, count(t.id))
            FROM billing_accountingperiod p LEFT JOIN billing_ledgertransaction t ON t.effective_at < p.ends_at
            WHERE p.status = 'closed' GROUP BY p.id HAVING count(t.id) <> p.transaction_count
            UNION ALL
            SELECT p.id, 'closed before its end, or by nobody' FROM billing_accountingperiod p
            WHERE p.status = 'closed' AND (p.closed_by_id IS NULL OR p.closed_at IS NULL OR p.closed_at < p.ends_at)
            UNION ALL
            SELECT r.id, 'asked and decided by one person' FROM billing_periodreopening r
            WHERE r.decided_by_id = r.requested_by_id OR (r.status = 'approved' AND r.decided_by_id IS NULL)
            """,
    ),
    by_query(
        "L14",
        "an entry by hand is posted line by line as one person proposed it and another approved, or not at all",
        "entries by hand",
        counted="SELECT count(*) FROM billing_manualjournal",
        violations="""
            SELECT id, 'posted by one person' FROM billing_manualjournal
            WHERE status = 'posted' AND decided_by_id IS NOT DISTINCT FROM proposed_by_id
            UNION ALL
            SELECT j.id, format('%s and posted in %s', j.status, t.id)
            FROM billing_manualjournal j
            LEFT JOIN billing_ledgertransaction t ON t.source_type = 'journal' AND t.source_id = j.id
            WHERE (j.status = 'posted') <> (t.id IS NOT NULL) OR j.transaction_id IS DISTINCT FROM t.id
            UNION ALL
            SELECT journal, format('account %s differs by %s', code, sum(minor)) FROM (
                SELECT l.journal_id AS journal, l.code, l.organisation_id, l.amount_minor AS minor
                FROM billing_journalline l JOIN billing_manualjournal j ON j.id = l.journal_id AND j.status = 'posted'
                UNION ALL
                SELECT t.source_id, a.code, a.organisation_id, -e.amount_minor
                FROM billing_ledgertransaction t JOIN billing_ledgerentry e ON e.transaction_id = t.id
                JOIN billing_account a ON a.id = e.account_id WHERE t.source_type = 'journal'
            ) AS both_sides GROUP BY journal, code, organisation_id HAVING sum(minor) <> 0
            """,
    ),
    by_query(
        "R1",
        "a difference has one open break, and a closed break has who, why and the entry that settled it",
        "breaks",
        counted="SELECT count(*) FROM billing_break",
        violations="""
            SELECT min(id::text), format('%s open breaks of %s %s', count(*), kind, subject_key)
            FROM billing_break WHERE status = 'open' GROUP BY kind, subject_key HAVING count(*) > 1
            UNION ALL
            SELECT id::text, format('%s by %s at %s: %L', status, resolved_by_id, resolved_at, explanation)
            FROM billing_break
            WHERE (status = 'open') <> (resolved_by_id IS NULL)
               OR (status <> 'open' AND (resolved_at IS NULL OR explanation = ''))
            UNION ALL
            SELECT b.id::text, format('%s by entry %s', b.status, b.journal_id)
            FROM billing_break b LEFT JOIN billing_manualjournal j ON j.id = b.journal_id
                AND j.status = 'posted' AND j.subject_id = b.id
            WHERE b.status IN ('adjusted', 'written_off') AND j.id IS NULL
            """,
    ),
)
