"""Invariants of budgets and credit (W)."""

from typing import Final

from config.audit.invariants import by_query

WALLETS: Final = (
    by_query(
        "W1",
        "a project's budget is what its holds, invoices and credit notes say, and only extras go beyond it",
        "budgets",
        counted="SELECT count(*) FROM billing_projectbudget",
        violations="""
            WITH holds AS (
                SELECT project_id, currency, sum(amount_minor) AS held, sum(captured_minor) AS captured
                FROM billing_hold GROUP BY 1, 2
            ), invoices AS (
                SELECT project_id, currency, sum(greatest(total_minor, 0)) AS total,
                    -sum(least(total_minor, 0)) AS credited
                FROM billing_invoice WHERE side = 'customer' AND status <> 'draft' GROUP BY 1, 2
            )
            SELECT b.id, format(
                'limit %s: held %s is %s, captured %s is %s, extras %s are %s, credited %s is %s, over by %s',
                b.limit_minor, b.held_minor, h.held, b.captured_minor, h.captured, b.extras_minor,
                coalesce(i.total, 0) - coalesce(h.captured, 0), b.credited_minor, i.credited, b.overrun_minor)
            FROM billing_projectbudget b
            LEFT JOIN holds h ON h.project_id = b.project_id AND h.currency = b.currency
            LEFT JOIN invoices i ON i.project_id = b.project_id AND i.currency = b.currency
            WHERE b.held_minor <> coalesce(h.held, 0) OR b.captured_minor <> coalesce(h.captured, 0)
               OR b.extras_minor <> greatest(0, coalesce(i.total, 0) - coalesce(h.captured, 0))
               OR b.credited_minor <> coalesce(i.credited, 0)
               OR b.held_minor + b.captured_minor - b.credited_minor > b.limit_minor
               OR b.held_minor + b.captured_minor + b.extras_minor - b.credited_minor > b.limit_minor + b.overrun_minor
            """,
    ),
    by_query(
        "W2",
        "a wallet's credit limit is the last one that two people agreed on",
        "credit limits",
        counted="SELECT count(*) FROM billing_account WHERE code = '2000' AND credit_limit_minor > 0",
        violations="""
            SELECT a.id, format('limit %s %s, agreed %s', a.credit_limit_minor, a.currency, c.limit_minor)
            FROM billing_account a
            LEFT JOIN LATERAL (
                SELECT limit_minor FROM billing_creditlimitchange
                WHERE organisation_id = a.organisation_id AND currency = a.currency AND status = 'approved'
                ORDER BY decided_at DESC, id DESC LIMIT 1
            ) c ON true
            WHERE a.code = '2000' AND a.credit_limit_minor <> coalesce(c.limit_minor, 0)
            UNION ALL
            SELECT id, 'decided on by who proposed it, or by nobody' FROM billing_creditlimitchange
            WHERE status <> 'proposed' AND (decided_by_id IS NULL OR decided_by_id = proposed_by_id)
            """,
    ),
    by_query(
        "W3",
        "a wallet that ran out is stopped and released no sooner than told, and holds nothing new while it is stopped",
        "landings of wallets",
        counted="SELECT count(*) FROM billing_walletlanding",
        violations="""
            SELECT id, format('%s: began %s, stops %s, stopped %s, releases %s, releasing %s', status, began_at,
                stops_at, stopped_at, releases_at, releasing_at)
            FROM billing_walletlanding
            WHERE stopped_at < stops_at OR stops_at < began_at OR releasing_at < releases_at
               OR status = 'stopped' AND stopped_at IS NULL OR status = 'releasing' AND releasing_at IS NULL
            UNION ALL
            SELECT l.id, format('%s %s was %s at %s', e.amount_minor, h.currency, e.kind, e.at)
            FROM billing_walletlanding l
            JOIN billing_hold h ON h.organisation_id = l.organisation_id AND h.currency = l.currency
            JOIN billing_holdevent e ON e.hold_id = h.id AND e.kind IN ('placed', 'grown')
            WHERE e.at > l.stopped_at AND e.at < coalesce(l.lifted_at, 'infinity')
            """,
    ),
)
