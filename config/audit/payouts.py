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
            SELECT h.id::text, format('%s of %s is in %s payouts as %s',
                f.part, f.minor, count(i.id), sum(i.amount_minor))
            FROM billing_disputehold h
            CROSS JOIN LATERAL (VALUES
                ('held', CASE WHEN h.held_at IS NOT NULL THEN -h.amount_minor ELSE 0 END),
                ('lifted', CASE WHEN h.held_at IS NOT NULL AND h.lifted_at IS NOT NULL THEN h.amount_minor ELSE 0 END)
            ) AS f(part, minor)
            LEFT JOIN billing_payoutitem i ON i.hold_id = h.id AND i.part = f.part AND i.given_on_at IS NULL
            GROUP BY h.id, f.part, f.minor HAVING coalesce(sum(i.amount_minor), 0) <> f.minor OR count(i.id) > 1
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
                    + CASE WHEN reserve_released_at IS NOT NULL THEN reserve_minor ELSE 0 END
                    - coalesce(held.minor, 0)) AS minor
                FROM billing_statementrelease r LEFT JOIN (
                    SELECT release_id, sum(amount_minor) AS minor FROM billing_disputehold
                    WHERE held_at IS NOT NULL AND lifted_at IS NULL GROUP BY 1
                ) held ON held.release_id = r.id
                GROUP BY 1, 2
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
    by_query(
        "P15",
        "a provider's part of a disputed invoice is held from the release on until the dispute is resolved, once each",
        "holds",
        counted="SELECT count(*) FROM billing_disputehold",
        violations="""
            WITH disputed AS (
                SELECT d.id FROM billing_invoicedispute d JOIN billing_invoice i ON i.id = d.invoice_id
                JOIN billing_invoice s ON s.contract_id = i.contract_id AND s.kind = 'provider_statement'
                    AND s.status <> 'draft'
                JOIN billing_statementrelease r ON r.statement_id = s.id
                WHERE d.resolved_at IS NULL
            ), posted AS (
                SELECT t.source_id, -sum(e.amount_minor) FILTER (WHERE t.purpose = 'hold') AS held,
                    sum(e.amount_minor) FILTER (WHERE t.purpose = 'lift') AS lifted
                FROM billing_ledgertransaction t JOIN billing_ledgerentry e ON e.transaction_id = t.id
                JOIN billing_account a ON a.id = e.account_id AND a.code = '2120'
                WHERE t.source_type = 'dispute' GROUP BY 1
            )
            SELECT coalesce(d.id, h.dispute_id)::text,
                CASE WHEN h.id IS NULL THEN 'open and holds nothing' ELSE 'resolved and still held' END
            FROM disputed d
            FULL JOIN (SELECT * FROM billing_disputehold WHERE lifted_at IS NULL) h ON h.dispute_id = d.id
            WHERE d.id IS NULL OR h.id IS NULL
            UNION ALL
            SELECT h.id::text, format('%s of %s, held %s, released %s; posted %s and %s', h.amount_minor,
                r.amount_minor, h.held_at, r.released_at, p.held, p.lifted)
            FROM billing_disputehold h JOIN billing_statementrelease r ON r.id = h.release_id
            LEFT JOIN posted p ON p.source_id = h.dispute_id
            WHERE h.lifted_at IS NULL AND h.amount_minor > 0 AND (h.held_at IS NULL) <> (r.released_at IS NULL)
               OR coalesce(p.held, 0) <> CASE WHEN h.held_at IS NOT NULL THEN h.amount_minor ELSE 0 END
               OR coalesce(p.lifted, 0) <>
                    CASE WHEN h.held_at IS NOT NULL AND h.lifted_at IS NOT NULL THEN h.amount_minor ELSE 0 END
            UNION ALL
            SELECT r.id::text, format('%s is held of %s', sum(h.amount_minor), r.amount_minor)
            FROM billing_statementrelease r JOIN billing_disputehold h ON h.release_id = r.id AND h.lifted_at IS NULL
            GROUP BY r.id, r.amount_minor HAVING sum(h.amount_minor) > greatest(r.amount_minor, 0)
            """,
    ),
)
