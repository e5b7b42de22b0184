"""Invariants of fapiao (F)."""

from typing import Final

from config.audit.invariants import by_query

FAPIAO: Final = (
    by_query(
        "F1",
        "a fapiao has the amounts of its documents, at each of their tax rates; over a mistake, what it takes off",
        "fapiao",
        counted="SELECT count(*) FROM billing_fapiao",
        violations="""
            WITH documents AS (
                SELECT p.fapiao_id, CASE f.red_cause WHEN 'mistake' THEN -1 ELSE 1 END AS sign, i.*,
                    p.total_minor AS part_total, p.tax_minor AS part_tax
                FROM billing_fapiaopart p JOIN billing_fapiao f ON f.id = p.fapiao_id
                JOIN billing_invoice i ON i.id = p.document_id
            ), sums AS (
                SELECT fapiao_id, sum(sign * total_minor) AS total, sum(sign * tax_minor) AS tax
                FROM documents GROUP BY 1
            ), by_rate AS (
                SELECT d.fapiao_id, t.category, t.rate_ppm, sum(d.sign * t.base_minor) AS base,
                    sum(d.sign * t.tax_minor) AS tax
                FROM documents d JOIN billing_invoicetax t ON t.invoice_id = d.id GROUP BY 1, 2, 3
            )
            SELECT f.id::text, format('total %s with tax %s, its documents come to %s with %s',
                f.total_minor, f.tax_minor, s.total, s.tax)
            FROM billing_fapiao f LEFT JOIN sums s ON s.fapiao_id = f.id
            WHERE (f.total_minor, f.tax_minor, f.net_minor) IS DISTINCT FROM (s.total, s.tax, s.total - s.tax)
            UNION ALL
            SELECT fapiao_id::text, format('%s of %s with tax %s', part_total, number, part_tax) FROM documents
            WHERE part_total <> sign * total_minor OR part_tax <> sign * tax_minor
            UNION ALL
            SELECT coalesce(t.fapiao_id, r.fapiao_id)::text, format('%s ppm: %s on %s, its documents %s on %s',
                coalesce(t.rate_ppm, r.rate_ppm), t.tax_minor, t.base_minor, r.tax, r.base)
            FROM billing_fapiaotax t FULL JOIN by_rate r
              ON r.fapiao_id = t.fapiao_id AND r.category = t.category AND r.rate_ppm = t.rate_ppm
            WHERE coalesce(t.base_minor, 0) <> coalesce(r.base, 0) OR coalesce(t.tax_minor, 0) <> coalesce(r.tax, 0)
            """,
    ),
    by_query(
        "F2",
        "a document is on one fapiao at a time, of its own buyer and seller, and on none that is settled otherwise",
        "documents on fapiao",
        counted="SELECT count(*) FROM billing_fapiaopart",
        violations="""
            SELECT document_id::text, format('on %s fapiao at a time', count(*)) FROM billing_fapiaopart
            WHERE is_live GROUP BY document_id HAVING count(*) > 1
            UNION ALL
            SELECT p.document_id::text, format('held by %s, which is %s', f.id, f.status)
            FROM billing_fapiaopart p JOIN billing_fapiao f ON f.id = p.fapiao_id
            WHERE p.is_live AND (f.status IN ('refused', 'reversed') OR f.red_cause = 'mistake')
               OR NOT p.is_live AND f.status IN ('requested', 'issuing') AND f.red_cause <> 'mistake'
            UNION ALL
            SELECT i.number, format('of %s from %s, on a fapiao of %s from %s',
                i.organisation_id, i.seller ->> 'tax_id', f.organisation_id, f.seller_tax_id)
            FROM billing_fapiaopart p JOIN billing_fapiao f ON f.id = p.fapiao_id
            JOIN billing_invoice i ON i.id = p.document_id
            WHERE i.organisation_id <> f.organisation_id OR i.seller ->> 'tax_id' <> f.seller_tax_id
               OR i.seller ->> 'legal_name' <> f.seller_name OR i.side <> 'customer' OR i.status = 'draft'
            """,
    ),
    by_query(
        "F3",
        "what fapiao less their red letters come to is what is on them and on no other, and each number is one's",
        "issued fapiao",
        counted="SELECT count(*) FROM billing_fapiao WHERE number <> ''",
        violations="""
            WITH reds AS (
                SELECT red_of_id, -sum(total_minor) AS total FROM billing_fapiao WHERE status = 'issued' GROUP BY 1
            ), live AS (
                SELECT coalesce(f.red_of_id, f.id) AS id, sum(p.total_minor) AS total
                FROM billing_fapiaopart p JOIN billing_fapiao f ON f.id = p.fapiao_id
                WHERE p.is_live AND f.status = 'issued' GROUP BY 1
            )
            SELECT f.id::text, format('%s less %s (red letters %s), its documents %s',
                f.total_minor, f.reversed_minor, coalesce(r.total, 0), coalesce(l.total, 0))
            FROM billing_fapiao f LEFT JOIN reds r ON r.red_of_id = f.id LEFT JOIN live l ON l.id = f.id
            WHERE f.red_of_id IS NULL AND f.status IN ('issued', 'reversed')
              AND (f.reversed_minor <> coalesce(r.total, 0) OR f.total_minor - f.reversed_minor <> coalesce(l.total, 0)
                   OR (f.status = 'reversed') <> (f.total_minor = f.reversed_minor))
            UNION ALL
            SELECT number, format('the number of %s fapiao', count(*)) FROM billing_fapiao
            WHERE number <> '' GROUP BY number HAVING count(*) > 1
            UNION ALL
            SELECT id::text, format('%s with number %L of %s', status, number, issued_on) FROM billing_fapiao
            WHERE (status IN ('issued', 'reversed')) <> (number ~ '^[0-9]{20}$' AND issued_on IS NOT NULL)
            UNION ALL
            SELECT f.id::text, 'a red letter of what is none'
            FROM billing_fapiao f JOIN billing_fapiao b ON b.id = f.red_of_id
            WHERE b.red_of_id IS NOT NULL OR b.number = '' OR f.organisation_id <> b.organisation_id
            """,
    ),
)
