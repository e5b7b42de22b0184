"""Invariants of money by card and of what Stripe told (P)."""

from typing import Final

from config.audit.invariants import by_query

CARDS: Final = (
    by_query(
        "P12",
        "what the bank's statements show as received has its receipt, and a receipt is what it was split into",
        "bank entries",
        counted="SELECT count(*) FROM billing_bankentry",
        violations="""
            SELECT e.id, format('%s shows %s %s, receipt %s %s',
                e.bank_reference, e.amount_minor, e.currency, r.amount_minor, r.currency)
            FROM billing_bankentry e LEFT JOIN billing_bankreceipt r ON r.id = e.receipt_id
            WHERE CASE WHEN e.amount_minor > 0
                THEN r.amount_minor IS DISTINCT FROM e.amount_minor OR r.currency IS DISTINCT FROM e.currency
                ELSE e.receipt_id IS NOT NULL END
            UNION ALL
            SELECT r.id, format('%s, received %s, parts %s', r.status, r.amount_minor, p.total)
            FROM billing_bankreceipt r
            LEFT JOIN (
                SELECT x.receipt_id, sum(x.amount_minor) AS total, bool_and(t.amount_minor = x.amount_minor
                    AND t.status IN ('confirmed', 'returned')) AS confirmed
                FROM billing_receiptpart x JOIN billing_topup t ON t.id = x.top_up_id GROUP BY 1
            ) p ON p.receipt_id = r.id
            WHERE CASE WHEN r.status = 'split' THEN p.total IS DISTINCT FROM r.amount_minor OR NOT p.confirmed
                ELSE p.total IS NOT NULL END
            UNION ALL
            SELECT s.id, format('%s of %s entries are there', count(e.id), s.entry_count)
            FROM billing_bankstatement s LEFT JOIN billing_bankentry e ON e.statement_id = s.id
            GROUP BY s.id, s.entry_count HAVING count(e.id) > s.entry_count
            """,
    ),
    by_query(
        "P5",
        "every stored message of Stripe is processed, ignored or parked within 15 minutes",
        "messages",
        counted="SELECT count(*) FROM billing_stripeevent",
        violations="""
            SELECT id, format('%s is %s since %s', stripe_id, state, received_at) FROM billing_stripeevent
            WHERE state = 'received' AND received_at < exchange_now() - interval '15 minutes'
               OR (state = 'received') <> (handled_at IS NULL)
            UNION ALL
            SELECT min(id::text)::uuid, format('%s is stored %s times', stripe_id, count(*))
            FROM billing_stripeevent GROUP BY stripe_id HAVING count(*) > 1
            """,
    ),
    by_query(
        "P9",
        "a card payment has succeeded exactly when its amount is posted, to its own organisation, once",
        "card payments",
        counted="SELECT count(*) FROM billing_cardpayment",
        violations="""
            WITH posted AS (
                SELECT t.source_id, e.currency,
                    sum(e.amount_minor) FILTER (WHERE a.code = '1000') AS received,
                    -sum(e.amount_minor) FILTER (WHERE a.code IN ('2000', '1100')
                        AND a.organisation_id = p.organisation_id) AS credited
                FROM billing_ledgertransaction t JOIN billing_ledgerentry e ON e.transaction_id = t.id
                JOIN billing_account a ON a.id = e.account_id
                JOIN billing_cardpayment p ON p.id = t.source_id
                WHERE t.source_type = 'card_payment' GROUP BY 1, 2
            )
            SELECT p.id, format('%s, %s %s, received %s, credited %s',
                p.status, p.amount_minor, p.currency, x.received, x.credited)
            FROM billing_cardpayment p LEFT JOIN posted x ON x.source_id = p.id AND x.currency = p.currency
            WHERE (p.status = 'succeeded') <> (x.source_id IS NOT NULL)
               OR p.status = 'succeeded' AND (x.received IS DISTINCT FROM p.amount_minor
                    OR x.credited IS DISTINCT FROM p.amount_minor)
            """,
    ),
    by_query(
        "P10",
        "refunds are never more than was captured, above the limit by two people, and posted while they are out",
        "refunds",
        counted="SELECT count(*) FROM billing_cardrefund",
        violations="""
            SELECT p.id, format('captured %s, asked back %s, counted %s', p.amount_minor, r.total, p.refunded_minor)
            FROM billing_cardpayment p
            LEFT JOIN (
                SELECT payment_id, sum(amount_minor) AS total FROM billing_cardrefund
                WHERE status NOT IN ('failed', 'declined') GROUP BY 1
            ) r ON r.payment_id = p.id
            WHERE coalesce(r.total, 0) <> p.refunded_minor OR p.refunded_minor > p.amount_minor
               OR p.refunded_minor > 0 AND p.status <> 'succeeded'
            UNION ALL
            SELECT r.id, format('%s of %s, asked by %s, approved by %s, posted %s',
                r.status, r.amount_minor, r.requested_by_id, r.approved_by_id, x.posted)
            FROM billing_cardrefund r
            LEFT JOIN LATERAL (
                SELECT -sum(e.amount_minor) AS posted
                FROM billing_ledgertransaction t
                JOIN billing_ledgerentry e ON e.transaction_id = t.id JOIN billing_account a ON a.id = e.account_id
                WHERE a.code = '1000' AND (t.source_type = 'card_refund' AND t.source_id = r.id
                    OR t.reversal_of_id = r.transaction_id)
            ) x ON true
            WHERE coalesce(x.posted, 0) <> CASE WHEN r.status IN ('sent', 'succeeded') THEN r.amount_minor ELSE 0 END
               OR r.status NOT IN ('requested', 'declined') AND r.amount_minor > r.alone_up_to_minor
                    AND (r.approved_by_id IS NULL OR r.approved_by_id = r.requested_by_id)
            """,
    ),
    by_query(
        "P11",
        "a dispute is a posted loss, taken back exactly when it is won",
        "disputes",
        counted="SELECT count(*) FROM billing_carddispute",
        violations="""
            SELECT d.id, format('%s %s, lost in the books %s', d.stripe_id, d.status, x.lost)
            FROM billing_carddispute d
            LEFT JOIN LATERAL (
                SELECT sum(e.amount_minor) AS lost
                FROM billing_ledgertransaction t
                JOIN billing_ledgerentry e ON e.transaction_id = t.id JOIN billing_account a ON a.id = e.account_id
                WHERE a.code = '5200' AND (t.id = d.transaction_id AND t.source_id = d.id
                    OR t.reversal_of_id = d.transaction_id)
            ) x ON true
            WHERE x.lost IS DISTINCT FROM CASE WHEN d.status = 'won' THEN 0 ELSE d.amount_minor END
            """,
    ),
)
