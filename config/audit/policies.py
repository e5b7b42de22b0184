"""Invariants of the rules that money goes by (T)."""

from typing import Final

from config.audit.invariants import by_query

POLICIES: Final = (
    by_query(
        "T1",
        "a changed rule is what two people agreed on, and no instant has two tax rates of one category",
        "changes and tax rates",
        counted="SELECT (SELECT count(*) FROM billing_policychange) + (SELECT count(*) FROM billing_taxrate)",
        violations="""
            SELECT c.id::text, format('%s percent from %s was agreed, %s ppm from %s holds',
                c.said ->> 'percent', c.said ->> 'effective_from', r.rate_ppm, r.effective_from)
            FROM billing_policychange c LEFT JOIN billing_taxrate r ON r.id = c.row_id
            WHERE c.kind = 'tax_rate' AND c.status = 'approved' AND (
                r.id IS NULL OR r.jurisdiction <> c.said ->> 'jurisdiction' OR r.category <> c.said ->> 'category'
                OR r.rate_ppm <> (c.said ->> 'percent')::numeric * 10000
                OR r.effective_from <> (c.said ->> 'effective_from')::timestamptz
                OR r.effective_to > coalesce(nullif(c.said ->> 'effective_to', '')::timestamptz, 'infinity'))
            UNION ALL
            SELECT c.id::text, format('%s from %s was agreed, its row is from %s',
                c.kind, c.said ->> 'effective_from', r.effective_from)
            FROM billing_policychange c LEFT JOIN (
                SELECT 'refund_limit' AS kind, id, effective_from, alone_up_to_minor AS minor FROM billing_refundpolicy
                UNION ALL SELECT 'payout_terms', id, effective_from, minimum_minor FROM billing_payoutpolicy
                UNION ALL SELECT 'landing_hours', id, effective_from, grace_hours FROM billing_landingpolicy
                UNION ALL SELECT 'closing_threshold', id, effective_from, threshold_minor FROM billing_closingpolicy
                UNION ALL SELECT 'bill_bound', id, effective_from, total_minor FROM billing_billbound
            ) r ON r.id = c.row_id AND r.kind = c.kind
            LEFT JOIN {minor_units} ON minor_unit.currency = c.said ->> 'currency'
            WHERE c.kind <> 'tax_rate' AND c.status = 'approved' AND (
                r.id IS NULL OR r.effective_from <> (c.said ->> 'effective_from')::timestamptz
                OR r.minor IS DISTINCT FROM CASE WHEN c.said ? 'currency' THEN minor_unit.minor_per_major ELSE 1 END
                    * coalesce(c.said ->> 'alone_up_to', c.said ->> 'minimum', c.said ->> 'threshold',
                        c.said ->> 'document_total', c.said ->> 'grace_hours')::numeric)
            UNION ALL
            SELECT id::text, format('%s, proposed by %s and decided by %s', status, proposed_by_id, decided_by_id)
            FROM billing_policychange
            WHERE decided_by_id = proposed_by_id OR (status = 'proposed') <> (decided_by_id IS NULL)
               OR (status = 'approved') <> (row_id IS NOT NULL)
            UNION ALL
            SELECT a.id::text, format('holds at the same time as %s', b.id)
            FROM billing_taxrate a JOIN billing_taxrate b
              ON b.id > a.id AND b.jurisdiction = a.jurisdiction AND b.category = a.category
             AND tstzrange(a.effective_from, a.effective_to) && tstzrange(b.effective_from, b.effective_to)
            """,
    ),
)
