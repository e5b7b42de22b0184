"""Invariants of what was asked of Stripe, and of what it keeps of ours (P)."""

from typing import Final

from config.audit.invariants import by_query

GATEWAY: Final = (
    by_query(
        "P3",
        "what was asked of Stripe is written down with its key, and has its answer within 15 minutes",
        "calls",
        counted="SELECT count(*) FROM billing_gatewaycall",
        violations="""
            SELECT id, format('%s for %s %s is %s since %s', operation, subject_type, subject_id, state, created_at)
            FROM billing_gatewaycall
            -- A link that nobody followed makes nothing.
            WHERE state IN ('intended', 'unknown') AND created_at < exchange_now() - interval '15 minutes'
              AND operation <> 'connect_link'
            UNION ALL
            SELECT id, format('is %s and has no answer', state) FROM billing_gatewaycall
            WHERE state = 'done' AND (object_id = '' OR answered_at IS NULL)
               OR state = 'refused' AND (refusal_code = '' OR answered_at IS NULL)
            """,
    ),
    by_query(
        "P13",
        "a row of the Stripe balance has posted its fee once, and its net amount once when it became available",
        "balance rows",
        counted="SELECT count(*) FROM billing_balancetransaction",
        violations="""
            WITH posted AS (
                SELECT t.source_id, t.purpose, a.code, a.currency, sum(e.amount_minor) AS minor
                FROM billing_ledgertransaction t JOIN billing_ledgerentry e ON e.transaction_id = t.id
                JOIN billing_account a ON a.id = e.account_id
                WHERE t.source_type = 'balance_transaction' GROUP BY 1, 2, 3, 4
            )
            SELECT b.id, format('%s: fee %s posted %s, net %s (%s) posted %s',
                b.stripe_id, b.fee_minor, f.minor, b.net_minor, b.status, n.minor)
            FROM billing_balancetransaction b
            LEFT JOIN posted f ON f.source_id = b.id AND f.purpose = 'fee' AND f.code = '5000'
                AND f.currency = b.currency
            LEFT JOIN posted n ON n.source_id = b.id AND n.purpose = 'available' AND n.code = '1010'
                AND n.currency = b.currency
            WHERE coalesce(f.minor, 0) <> b.fee_minor OR b.net_minor <> b.amount_minor - b.fee_minor
               OR coalesce(n.minor, 0) <> CASE
                    WHEN b.status = 'available' AND b.reporting_category NOT IN
                        ('transfer', 'transfer_reversal', 'payout', 'payout_reversal') THEN b.net_minor ELSE 0 END
            """,
    ),
    by_query(
        "P8",
        "a transfer to a provider is one call of its amount, and no more of it is fetched back than was sent",
        "transfers",
        counted="SELECT count(*) FROM billing_connecttransfer",
        violations="""
            SELECT t.id, format('%s %s, call %s', t.amount_minor, t.status, c.state)
            FROM billing_connecttransfer t JOIN billing_connectedaccount a ON a.id = t.account_id
            LEFT JOIN billing_gatewaycall c ON c.subject_type = 'connect_transfer' AND c.subject_id = t.id
                AND c.operation = 'transfer'
            WHERE c.id IS NULL OR a.organisation_id <> t.organisation_id
               OR (c.parameters::jsonb ->> 'amount')::bigint <> t.amount_minor
               OR c.parameters::jsonb ->> 'destination' IS DISTINCT FROM a.stripe_id
               OR t.status NOT IN ('preparing', 'failed') AND (c.state <> 'done' OR c.object_id <> t.transfer_stripe_id)
               OR t.status = 'failed' AND c.state <> 'refused'
               OR t.reversed_minor NOT BETWEEN 0 AND t.amount_minor
            """,
    ),
    by_query(
        "P14",
        "what Stripe sent to our bank is posted once when it is paid, taken back when it came back, and shown once",
        "payouts of Stripe",
        counted="SELECT count(*) FROM billing_stripepayout",
        violations="""
            SELECT s.id, format('%s of %s is %s, the bank moved by %s', s.stripe_id, s.amount_minor, s.status,
                coalesce(m.minor, 0))
            FROM billing_stripepayout s
            LEFT JOIN LATERAL (
                SELECT sum(e.amount_minor) AS minor
                FROM billing_ledgertransaction t JOIN billing_ledgerentry e ON e.transaction_id = t.id
                JOIN billing_account a ON a.id = e.account_id AND a.code = '1020'
                WHERE t.source_type = 'stripe_payout' AND t.source_id = s.id OR t.reversal_of_id = s.transaction_id
            ) m ON true
            WHERE coalesce(m.minor, 0) <> CASE s.status WHEN 'paid' THEN s.amount_minor ELSE 0 END
            UNION ALL
            SELECT r.id, format('receipt of %s %s for payout %s of %s %s', r.amount_minor, r.currency, s.stripe_id,
                s.amount_minor, s.currency)
            FROM billing_bankreceipt r JOIN billing_stripepayout s ON s.id = r.stripe_payout_id
            WHERE (r.amount_minor, r.currency) <> (s.amount_minor, s.currency) OR r.status <> 'matched'
            """,
    ),
)
