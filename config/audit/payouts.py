"""Invariants of payouts (P)."""

from typing import Final

from config.audit.invariants import by_query

PAYOUTS: Final = (
    by_query(
        "P4",
        "no payout was sent within 72 hours of a change of where it went, nor to an account that was replaced",
        "sent payouts",
        counted="SELECT count(*) FROM billing_payout WHERE sent_at IS NOT NULL",
        violations="""
            SELECT p.id, format('sent %s, the account was entered %s', p.sent_at, d.created_at)
            FROM billing_payout p
            LEFT JOIN billing_payoutdestination d ON d.id = p.destination_id AND d.organisation_id = p.organisation_id
            WHERE p.sent_at IS NOT NULL AND p.method = 'bank'
              AND (d.id IS NULL OR d.created_at <> p.destination_changed_at
                   OR p.sent_at < d.created_at + interval '72 hours' OR p.sent_at > d.replaced_at)
            UNION ALL
            SELECT id, format('sent %s, where it goes was changed %s', sent_at, destination_changed_at)
            FROM billing_payout
            WHERE sent_at IS NOT NULL AND (sent_at >= destination_changed_at + interval '72 hours') IS NOT TRUE
            """,
    ),
    by_query(
        "P6",
        "a payout is the sum of its items, each part of a statement is paid once, and it moved once as its status says",
        "payouts",
        counted="SELECT count(*) FROM billing_payout",
        violations="""
            SELECT p.id::text, format('of %s, its items are %s', p.amount_minor, coalesce(sum(i.amount_minor), 0))
            FROM billing_payout p LEFT JOIN billing_payoutitem i ON i.payout_id = p.id
            WHERE p.status <> 'accruing' GROUP BY p.id HAVING coalesce(sum(i.amount_minor), 0) <> p.amount_minor
            UNION ALL
            SELECT r.id::text, format('%s of %s is in %s payouts as %s',
                f.part, f.minor, count(i.id), sum(i.amount_minor))
            FROM billing_statementrelease r
            CROSS JOIN LATERAL (VALUES
                ('release', CASE WHEN r.released_at IS NOT NULL THEN r.amount_minor - r.reserve_minor ELSE 0 END),
                ('reserve', CASE WHEN r.reserve_released_at IS NOT NULL THEN r.reserve_minor ELSE 0 END)
            ) AS f(part, minor)
            LEFT JOIN billing_payoutitem i ON i.release_id = r.id AND i.part = f.part AND i.given_on_at IS NULL
            GROUP BY r.id, f.part, f.minor HAVING coalesce(sum(i.amount_minor), 0) <> f.minor OR count(i.id) > 1
            UNION ALL
            SELECT p.id::text, format('%s of %s: owed moved by %s, in transit by %s',
                p.status, p.amount_minor, coalesce(m.owed, 0), coalesce(m.transit, 0))
            FROM billing_payout p
            LEFT JOIN LATERAL (
                SELECT sum(e.amount_minor) FILTER (WHERE a.code = '2110' AND a.organisation_id = p.organisation_id)
                           AS owed,
                       sum(e.amount_minor) FILTER (WHERE a.code = '2190') AS transit,
                       sum(e.amount_minor) FILTER (WHERE a.code = '1010') AS stripe
                FROM billing_ledgertransaction t JOIN billing_ledgerentry e ON e.transaction_id = t.id
                JOIN billing_account a ON a.id = e.account_id
                WHERE t.source_type = 'payout' AND t.source_id = p.id OR t.reversal_of_id IN (
                    SELECT s.id FROM billing_ledgertransaction s WHERE s.source_type = 'payout' AND s.source_id = p.id)
            ) m ON true
            WHERE coalesce(m.owed, 0) <> CASE WHEN p.status IN ('in_transit', 'paid') THEN p.amount_minor ELSE 0 END
               -- Through Stripe it is in transit until it leaves our balance there (1010), and what is back is again.
               OR coalesce(m.transit, 0) <> CASE WHEN p.method = 'stripe' AND p.status IN ('in_transit', 'paid')
                   THEN -p.amount_minor - coalesce(m.stripe, 0)
                   WHEN p.status = 'in_transit' THEN -p.amount_minor ELSE 0 END
            UNION ALL
            SELECT p.id::text, format('%s of %s through Stripe, and its transfer is %s of %s',
                p.status, p.amount_minor, c.status, c.amount_minor)
            FROM billing_payout p LEFT JOIN billing_connecttransfer c ON c.payout_id = p.id
                AND c.organisation_id = p.organisation_id AND c.currency = p.currency
            WHERE p.method = 'stripe' AND (c.id IS NULL OR c.amount_minor <> p.amount_minor
                OR p.status = 'failed' AND c.status NOT IN ('failed', 'reversed')
                OR p.status = 'paid' AND c.status NOT IN ('paid', 'payout_failed', 'reversed'))
            """,
    ),
    by_query(
        "P7",
        "payouts stay within what was set free for their provider, and above the limit two others approved",
        "provider balances",
        counted="SELECT count(*) FROM billing_providerbalance",
        violations="""
            WITH freed AS (
                SELECT organisation_id, currency, sum(
                    CASE WHEN released_at IS NOT NULL THEN amount_minor - reserve_minor ELSE 0 END
                    + CASE WHEN reserve_released_at IS NOT NULL THEN reserve_minor ELSE 0 END) AS minor
                FROM billing_statementrelease GROUP BY 1, 2
            ), taken AS (
                SELECT organisation_id, currency, sum(amount_minor) AS minor
                FROM billing_payout WHERE status IN ('approved', 'in_transit', 'paid') GROUP BY 1, 2
            )
            SELECT b.id::text, format('set free %s is %s, taken %s is %s, shortfall %s', b.released_minor,
                coalesce(f.minor, 0), b.committed_minor, coalesce(t.minor, 0), b.shortfall_minor)
            FROM billing_providerbalance b
            LEFT JOIN freed f USING (organisation_id, currency) LEFT JOIN taken t USING (organisation_id, currency)
            WHERE b.released_minor <> coalesce(f.minor, 0) OR b.committed_minor <> coalesce(t.minor, 0)
               OR b.shortfall_minor <> greatest(0, coalesce(t.minor, 0) - coalesce(f.minor, 0))
            UNION ALL
            SELECT id::text, format('%s above %s, due by %s, approved by %s and %s', amount_minor,
                two_people_above_minor, made_due_by_id, first_approved_by_id, approved_by_id)
            FROM billing_payout
            WHERE approved_by_id = made_due_by_id OR approved_by_id = first_approved_by_id
               OR first_approved_by_id = made_due_by_id
               OR (status NOT IN ('accruing', 'due') AND (approved_by_id IS NULL
                   OR amount_minor > two_people_above_minor AND first_approved_by_id IS NULL))
            """,
    ),
)
