"""Invariants of the ledger, of holds and of money that came in (L, P)."""

from typing import Final

from config.audit.invariants import by_query

BOOKS: Final = (
    by_query(
        "L1",
        "a ledger transaction has two entries or more and sums to zero in each currency",
        "transactions",
        counted="SELECT count(*) FROM billing_ledgertransaction",
        violations="""
            SELECT t.id, format('%s entries, sum %s %s', count(e.id), coalesce(sum(e.amount_minor), 0), e.currency)
            FROM billing_ledgertransaction t LEFT JOIN billing_ledgerentry e ON e.transaction_id = t.id
            GROUP BY t.id, e.currency
            HAVING coalesce(sum(e.amount_minor), 0) <> 0 OR count(e.id) < 2
            """,
    ),
    by_query(
        "L2",
        "an entry is in the currency of its account",
        "entries",
        counted="SELECT count(*) FROM billing_ledgerentry",
        violations="""
            SELECT e.id, format('%s on an account in %s', e.currency, a.currency)
            FROM billing_ledgerentry e LEFT JOIN billing_account a ON a.id = e.account_id
            WHERE a.id IS NULL OR a.currency <> e.currency
            """,
    ),
    by_query(
        "L3",
        "an account's balances, held sum and entry count are those of its entries and open holds",
        "accounts",
        counted="SELECT count(*) FROM billing_account",
        violations="""
            WITH entries AS (
                SELECT account_id, sum(amount_minor) AS balance, count(*) AS n, max(account_n) AS last
                FROM billing_ledgerentry GROUP BY account_id
            ), holds AS (
                SELECT account_id, sum(amount_minor) AS held FROM billing_hold GROUP BY account_id
            )
            SELECT a.id, format('balance %s is %s, held %s is %s, entries %s are %s', a.balance_minor,
                coalesce(e.balance, 0), a.held_minor, coalesce(h.held, 0), a.entry_count, coalesce(e.n, 0))
            FROM billing_account a LEFT JOIN entries e ON e.account_id = a.id LEFT JOIN holds h ON h.account_id = a.id
            WHERE a.balance_minor <> coalesce(e.balance, 0) OR a.held_minor <> coalesce(h.held, 0)
               OR a.entry_count <> coalesce(e.n, 0) OR coalesce(e.last, 0) <> coalesce(e.n, 0)
            UNION ALL
            SELECT id, format('entry says %s after it, the entries up to it sum to %s', balance_after_minor, running)
            FROM (
                SELECT id, balance_after_minor, sum(amount_minor) OVER (PARTITION BY account_id ORDER BY account_n)
                    AS running
                FROM billing_ledgerentry
            ) AS in_order WHERE balance_after_minor <> running
            """,
    ),
    by_query(
        "L4",
        "a wallet's funds cover what is held, within its credit and the extras already invoiced",
        "wallets",
        counted="SELECT count(*) FROM billing_account WHERE code = '2000'",
        violations="""
            SELECT id, format('funds %s, held %s, credit %s, overdraft %s',
                -balance_minor, held_minor, credit_limit_minor, overdraft_minor)
            FROM billing_account
            WHERE code = '2000' AND -balance_minor - held_minor < -(credit_limit_minor + overdraft_minor)
            """,
    ),
    by_query(
        "L5",
        "a hold's amounts are those of its events, and a closed hold has nothing left",
        "holds",
        counted="SELECT count(*) FROM billing_hold",
        violations="""
            WITH sums AS (
                SELECT hold_id,
                    sum(amount_minor) FILTER (WHERE kind IN ('placed', 'grown')) AS taken,
                    coalesce(sum(amount_minor) FILTER (WHERE kind = 'captured'), 0) AS captured,
                    coalesce(sum(amount_minor) FILTER (WHERE kind IN ('shrunk', 'released')), 0) AS given_back
                FROM billing_holdevent GROUP BY hold_id
            )
            SELECT h.id, format('held %s; events: taken %s, captured %s, given back %s',
                h.amount_minor, s.taken, s.captured, s.given_back)
            FROM billing_hold h LEFT JOIN sums s ON s.hold_id = h.id
            WHERE s.hold_id IS NULL
               OR h.amount_minor <> s.taken - s.captured - s.given_back
               OR h.captured_minor <> s.captured OR h.released_minor <> s.given_back
               OR (h.closed_at IS NOT NULL) <> (h.amount_minor = 0)
            """,
    ),
    by_query(
        "L8",
        "a posting has its business source, and is the only one of its kind for it",
        "postings",
        counted="SELECT count(*) FROM billing_ledgertransaction",
        violations="""
            SELECT source_id, format('%s %s posted %s times', source_type, purpose, count(*))
            FROM billing_ledgertransaction GROUP BY source_type, source_id, purpose HAVING count(*) > 1
            UNION ALL
            SELECT t.id, format('there is no %s %s', t.source_type, t.source_id)
            FROM billing_ledgertransaction t
            LEFT JOIN billing_topup p ON t.source_type = 'top_up' AND p.id = t.source_id
            LEFT JOIN billing_bankreceipt b ON t.source_type = 'bank_receipt' AND b.id = t.source_id
            LEFT JOIN billing_balancetransaction s ON t.source_type = 'balance_transaction' AND s.id = t.source_id
            LEFT JOIN billing_cardpayment c ON t.source_type = 'card_payment' AND c.id = t.source_id
            LEFT JOIN billing_cardrefund r ON t.source_type = 'card_refund' AND r.id = t.source_id
            LEFT JOIN billing_carddispute d ON t.source_type = 'card_dispute' AND d.id = t.source_id
            LEFT JOIN billing_invoice i ON i.id = t.source_id
                AND (t.source_type, i.side) IN (('invoice', 'customer'), ('statement', 'provider'))
            LEFT JOIN billing_manualjournal j ON t.source_type = 'journal' AND j.id = t.source_id
            LEFT JOIN billing_payout o ON t.source_type = 'payout' AND o.id = t.source_id
            LEFT JOIN billing_voucher v ON t.source_type = 'voucher' AND v.id = t.source_id
            LEFT JOIN billing_invoicedispute x ON t.source_type = 'dispute' AND x.id = t.source_id
            WHERE coalesce(p.id, b.id, s.id, c.id, r.id, d.id, i.id, j.id, o.id, v.id, x.id) IS NULL
              AND NOT (t.source_type = 'ledger_transaction' AND t.reversal_of_id IS NOT DISTINCT FROM t.source_id)
            """,
    ),
    by_query(
        "L9",
        "all accounts of a currency together sum to zero, and suspense holds exactly the unmatched receipts and what "
        "entries by hand put there",
        "currencies",
        counted="SELECT count(DISTINCT currency) FROM billing_account",
        violations="""
            SELECT currency, format('sum %s', sum(amount_minor)) FROM billing_ledgerentry
            GROUP BY currency HAVING sum(amount_minor) <> 0
            UNION ALL
            SELECT currency, format('in suspense %s, unmatched %s', coalesce(s.minor, 0), coalesce(u.minor, 0))
            FROM (
                SELECT e.currency, -sum(e.amount_minor) AS minor
                FROM billing_ledgerentry e JOIN billing_account a ON a.id = e.account_id
                JOIN billing_ledgertransaction t ON t.id = e.transaction_id
                WHERE a.code = '9000' AND t.source_type <> 'journal' GROUP BY 1
            ) s
            FULL JOIN (
                SELECT currency, sum(amount_minor) AS minor FROM billing_bankreceipt
                WHERE status = 'unmatched' GROUP BY 1
            ) u USING (currency)
            WHERE coalesce(s.minor, 0) <> coalesce(u.minor, 0)
            """,
    ),
    by_query(
        "L11",
        "a hold, its wallet and its project belong to one organisation",
        "holds",
        counted="SELECT count(*) FROM billing_hold",
        violations="""
            SELECT h.id, 'hold, wallet and project differ in owner or currency'
            FROM billing_hold h
            LEFT JOIN billing_account a ON a.id = h.account_id
            LEFT JOIN accounts_project p ON p.id = h.project_id
            WHERE a.organisation_id IS DISTINCT FROM h.organisation_id OR a.currency IS DISTINCT FROM h.currency
               OR p.organisation_id IS DISTINCT FROM h.organisation_id OR a.code IS DISTINCT FROM '2000'
            """,
    ),
    by_query(
        "L12",
        "a reversal negates its original exactly, once",
        "reversals",
        counted="SELECT count(*) FROM billing_ledgertransaction WHERE reversal_of_id IS NOT NULL",
        violations="""
            WITH pair AS (
                SELECT r.id AS reversal, e.account_id, sum(e.amount_minor) AS left_over
                FROM billing_ledgertransaction r
                JOIN billing_ledgerentry e ON e.transaction_id IN (r.id, r.reversal_of_id)
                WHERE r.reversal_of_id IS NOT NULL GROUP BY r.id, e.account_id
            )
            SELECT reversal, format('account %s keeps %s', account_id, left_over) FROM pair WHERE left_over <> 0
            UNION ALL
            SELECT reversal_of_id, format('reversed %s times', count(*)) FROM billing_ledgertransaction
            WHERE reversal_of_id IS NOT NULL GROUP BY reversal_of_id HAVING count(*) > 1
            """,
    ),
    by_query(
        "P1",
        "a confirmed top-up is one posting of its amount to the customer's wallet, by another person than asked",
        "confirmed top-ups",
        counted="SELECT count(*) FROM billing_topup WHERE status = 'confirmed'",
        violations="""
            SELECT t.id, format('confirmed %s %s, posted %s', t.amount_minor, t.currency, coalesce(w.posted, 0))
            FROM billing_topup t
            LEFT JOIN LATERAL (
                SELECT -sum(e.amount_minor) AS posted
                FROM billing_ledgertransaction x
                JOIN billing_ledgerentry e ON e.transaction_id = x.id
                JOIN billing_account a ON a.id = e.account_id
                WHERE x.source_type = 'top_up' AND x.source_id = t.id AND x.reversal_of_id IS NULL
                  AND a.code = '2000' AND a.organisation_id = t.organisation_id AND e.currency = t.currency
            ) w ON true
            WHERE (t.status = 'confirmed' AND (w.posted IS DISTINCT FROM t.amount_minor
                       OR t.confirmed_by_id = t.requested_by_id))
               OR (t.status IN ('awaiting', 'cancelled') AND w.posted IS NOT NULL)
               OR (t.status = 'returned' AND w.posted IS DISTINCT FROM 0)
            """,
    ),
    by_query(
        "P2",
        "a provider's money is its statement's total, and becomes payable once, after the dispute window",
        "releases",
        counted="SELECT count(*) FROM billing_statementrelease",
        violations="""
            WITH released AS (
                SELECT t.source_id, a.organisation_id, a.currency, -sum(e.amount_minor) AS minor
                FROM billing_ledgertransaction t JOIN billing_ledgerentry e ON e.transaction_id = t.id
                JOIN billing_account a ON a.id = e.account_id
                WHERE t.source_type = 'statement' AND t.purpose = 'release' AND a.code IN ('2110', '2120')
                GROUP BY 1, 2, 3
            )
            SELECT r.id, format('amount %s, statement %s, released %s at %s, due %s',
                r.amount_minor, i.total_minor, p.minor, r.released_at, r.due_at)
            FROM billing_statementrelease r
            LEFT JOIN billing_invoice i ON i.id = r.statement_id AND i.side = 'provider' AND i.status <> 'draft'
                AND i.organisation_id = r.organisation_id AND i.currency = r.currency
            LEFT JOIN released p ON p.source_id = r.statement_id
                AND p.organisation_id = r.organisation_id AND p.currency = r.currency
            WHERE r.amount_minor IS DISTINCT FROM i.total_minor OR r.due_at < i.period_end OR r.released_at < r.due_at
               OR p.minor IS DISTINCT FROM CASE WHEN r.released_at IS NOT NULL THEN r.amount_minor END
            UNION ALL
            SELECT i.id, 'issued and never to be released'
            FROM billing_invoice i LEFT JOIN billing_statementrelease r ON r.statement_id = i.id
            WHERE i.side = 'provider' AND i.status <> 'draft' AND i.total_minor <> 0 AND r.id IS NULL
            """,
    ),
)
