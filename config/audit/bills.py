"""Invariants of usage, charges, invoices and statements (U, I)."""

from typing import Final

from config.audit.invariants import by_query

BILLS: Final = (
    by_query(
        "U1",
        "a usage event is accepted once, and its payload is the one it was accepted with",
        "events",
        counted="SELECT count(*) FROM billing_usageevent",
        violations="""
            SELECT event_id, format('accepted %s times from %s', count(*), source) FROM billing_usageevent
            GROUP BY organisation_id, source, event_id HAVING count(*) > 1
            UNION ALL
            SELECT event_id, 'the payload does not have its hash' FROM billing_usageevent
            WHERE encode(sha256(convert_to(payload, 'UTF8')), 'hex') <> payload_hash
            """,
    ),
    by_query(
        "U2",
        "every event of an invoiced contract is rated, and every charge comes from an event or from unreported time",
        "charges",
        counted="SELECT count(*) FROM billing_charge",
        violations="""
            SELECT e.event_id, 'accepted before the last invoice and not rated'
            FROM billing_usageevent e
            JOIN (
                SELECT contract_id, max(cutoff_at) AS cutoff FROM billing_invoice
                WHERE side = 'customer' AND status <> 'draft' GROUP BY 1
            ) i ON i.contract_id = e.contract_id AND e.ends_at <= i.cutoff AND e.received_at <= i.cutoff
            LEFT JOIN billing_charge c ON c.usage_event_id = e.id
            WHERE c.id IS NULL AND e.quantity > 0
            UNION ALL
            SELECT c.id::text, 'from an event that does not exist'
            FROM billing_charge c LEFT JOIN billing_usageevent e ON e.id = c.usage_event_id
            WHERE c.usage_event_id IS NOT NULL AND e.id IS NULL
            """,
    ),
    by_query(
        "U3",
        "what was measured lies inside its lease, segments do not overlap, and nothing is billed beyond the contract",
        "segments",
        counted="SELECT count(*) FROM billing_allocationsegment WHERE reversed_at IS NULL",
        violations="""
            SELECT s.id, 'outside its metering point'
            FROM billing_allocationsegment s JOIN billing_meteringpoint p ON p.id = s.metering_point_id
            WHERE s.reversed_at IS NULL AND (s.starts_at < p.starts_at OR s.ends_at > p.ends_at)
            UNION ALL
            SELECT a.id, format('overlaps %s', b.id)
            FROM billing_allocationsegment a JOIN billing_allocationsegment b
              ON b.metering_point_id = a.metering_point_id AND b.id > a.id
             AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at
            WHERE a.reversed_at IS NULL AND b.reversed_at IS NULL
            UNION ALL
            SELECT s.id, format('rated %s unit-seconds of %s agreed', sum(c.raw_quantity),
                s.quantity * extract(epoch FROM s.ends_at - s.starts_at))
            FROM billing_contractslot s JOIN billing_charge c ON c.slot_id = s.id
            GROUP BY s.id HAVING sum(c.raw_quantity) > s.quantity * extract(epoch FROM s.ends_at - s.starts_at)
            """,
    ),
    by_query(
        "U4",
        "what was reported or rated after a document was issued is not on it",
        "billed charges",
        counted="SELECT count(*) FROM billing_billedcharge",
        violations="""
            SELECT b.charge_id, format('rated %s, received %s, until %s; on %s of %s, up to %s',
                c.rated_at, e.received_at, c.ends_at, i.number, i.issued_at, i.cutoff_at)
            FROM billing_billedcharge b JOIN billing_charge c ON c.id = b.charge_id
            JOIN billing_invoiceline l ON l.id = b.line_id JOIN billing_invoice i ON i.id = l.invoice_id
            LEFT JOIN billing_usageevent e ON e.id = c.usage_event_id
            WHERE i.status <> 'draft'
              AND (c.rated_at > i.issued_at OR e.received_at > i.issued_at OR c.ends_at > i.cutoff_at
                   OR c.contract_id <> i.contract_id)
            """,
    ),
    by_query(
        "U5",
        "an event declined as a conflict was accepted before with another payload; what was declined has its hash",
        "declined items",
        counted="""
            SELECT (SELECT count(*) FROM billing_usageconflict) + (SELECT count(*) FROM billing_usagerejection)
            """,
        violations="""
            SELECT c.event_id, 'declined as a conflict without an accepted event of another payload'
            FROM billing_usageconflict c LEFT JOIN billing_usageevent e
              ON e.organisation_id = c.organisation_id AND e.source = c.source AND e.event_id = c.event_id
             AND e.payload_hash <> c.payload_hash
            WHERE e.id IS NULL
            UNION ALL
            SELECT event_id, 'the payload does not have its hash' FROM billing_usageconflict
            WHERE encode(sha256(convert_to(payload, 'UTF8')), 'hex') <> payload_hash
            UNION ALL
            SELECT id::text, 'the payload does not have its hash' FROM billing_usagerejection
            WHERE encode(sha256(convert_to(payload, 'UTF8')), 'hex') <> payload_hash
              AND char_length(payload) < 8192 -- what is longer is kept cut, under the hash of the whole
            """,
    ),
    by_query(
        "U6",
        "an event was at most 5 minutes ahead and at most 35 days old when it was accepted",
        "events",
        counted="SELECT count(*) FROM billing_usageevent",
        violations="""
            SELECT event_id, format('of %s, received %s', occurred_at, received_at) FROM billing_usageevent
            WHERE occurred_at > received_at + interval '5 minutes' OR ends_at < received_at - interval '35 days'
               OR starts_at >= ends_at
            """,
    ),
    by_query(
        "U7",
        "what tariffs charged for a meter is what was measured of it, and nothing is charged below zero",
        "charges of tariffs",
        counted="SELECT count(*) FROM billing_charge WHERE kind IN ('measured', 'tariff', 'minimum')",
        violations="""
            SELECT contract_id, format('%s of %s charged at %s micros from %s', sum(raw_quantity), unit, price_micros,
                min(starts_at))
            FROM billing_charge WHERE kind = 'minimum' GROUP BY contract_id, offering_id, unit, price_micros, starts_at
            HAVING sum(raw_quantity) < 0
            UNION ALL
            SELECT sums.contract_id, format('%s of %s charged, %s measured', sums.charged, sums.unit, sums.measured)
            FROM (
                SELECT contract_id, offering_id, unit,
                    coalesce(sum(raw_quantity) FILTER (WHERE kind = 'tariff'), 0) AS charged,
                    coalesce(sum(raw_quantity) FILTER (WHERE kind = 'measured'), 0) AS measured
                FROM billing_charge WHERE kind IN ('tariff', 'measured') GROUP BY 1, 2, 3
            ) AS sums
            JOIN billing_contract contract ON contract.id = sums.contract_id AND contract.status = 'settled'
            JOIN LATERAL jsonb_array_elements(contract.terms -> 'offerings') AS offering
              ON offering ->> 'offering_id' = sums.offering_id::text
            WHERE NOT EXISTS (
                SELECT 1 FROM jsonb_array_elements(offering -> 'rates') AS rate
                WHERE rate ->> 'meter' = sums.unit AND rate ->> 'model' IN ('package', 'percentile')
            ) AND sums.charged <> sums.measured
            """,
    ),
    by_query(
        "U8",
        "an event that is not rated is on the list of what is to be rated",
        "events",
        counted="SELECT count(*) FROM billing_usageevent",
        violations="""
            SELECT e.event_id, 'is not rated, and nothing says so'
            FROM billing_usageevent e LEFT JOIN billing_charge c ON c.usage_event_id = e.id
            WHERE c.id IS NULL AND NOT EXISTS (
                SELECT FROM billing_unratedusage u
                WHERE u.contract_id = e.contract_id AND e.id BETWEEN u.first_id AND u.last_id
            )
            """,
    ),
    by_query(
        "V1",
        "a voucher is used as far as its uses say and not beyond its worth, and each use is on its document",
        "vouchers",
        counted="SELECT count(*) FROM billing_voucher",
        violations="""
            SELECT v.code, format('worth %s, noted %s, used %s', v.value_minor, v.used_minor, coalesce(u.used, 0))
            FROM billing_voucher v
            LEFT JOIN (SELECT voucher_id, sum(amount_minor) AS used FROM billing_voucheruse GROUP BY 1) u
              ON u.voucher_id = v.id
            WHERE v.used_minor <> coalesce(u.used, 0) OR v.used_minor > v.value_minor
            UNION ALL
            SELECT coalesce(u.source_id, l.invoice_id)::text, format('uses of %s, lines of %s', u.used, l.taken)
            FROM (SELECT source_id, sum(amount_minor) AS used FROM billing_voucheruse GROUP BY 1) u
            FULL JOIN (
                SELECT invoice_id, -sum(amount_minor) AS taken
                FROM billing_invoiceline WHERE kind = 'voucher' GROUP BY 1
            ) l ON l.invoice_id = u.source_id
            WHERE u.used IS DISTINCT FROM l.taken
            """,
    ),
    by_query(
        "I1",
        "numbers run from 1 without a gap in each series and year, in the order of issue, and a series is one entity's",
        "numbered documents",
        counted="SELECT count(*) FROM billing_invoice WHERE n IS NOT NULL",
        violations="""
            SELECT format('%s %s', i.series, i.year), format('%s documents, last number %s, counter %s',
                count(*), max(i.n), max(c.last))
            FROM billing_invoice i LEFT JOIN billing_invoicecounter c ON c.series = i.series AND c.year = i.year
            WHERE i.n IS NOT NULL GROUP BY i.series, i.year
            HAVING count(*) <> max(i.n) OR min(i.n) <> 1 OR max(c.last) IS DISTINCT FROM max(i.n)
            UNION ALL
            SELECT number, 'issued before the number in front of it' FROM (
                SELECT number, issued_at, lag(issued_at) OVER (PARTITION BY series, year ORDER BY n) AS before
                FROM billing_invoice WHERE n IS NOT NULL
            ) AS in_order WHERE issued_at < before
            UNION ALL
            SELECT i.number, format('issued by %s in the series of %s for a %s', issuer.entity, s.entity, s.kind)
            FROM billing_invoice i
            CROSS JOIN LATERAL (SELECT CASE i.side WHEN 'customer' THEN i.seller ELSE i.buyer END AS said) party
            CROSS JOIN LATERAL (
                SELECT coalesce(nullif(party.said ->> 'tax_id', ''), party.said ->> 'legal_name') AS entity
            ) issuer
            LEFT JOIN billing_invoiceseries s ON s.series = i.series
            WHERE i.n IS NOT NULL AND (s.entity IS DISTINCT FROM issuer.entity OR s.kind IS DISTINCT FROM i.kind)
            UNION ALL
            SELECT format('%s %s', c.series, c.year), format('counter %s without documents', c.last)
            FROM billing_invoicecounter c
            WHERE c.last > 0 AND NOT EXISTS (
                SELECT 1 FROM billing_invoice i WHERE i.series = c.series AND i.year = c.year AND i.n = c.last)
            """,
    ),
    by_query(
        "I2",
        "an issued document is the sum of its lines and taxes, and of its posting",
        "issued documents",
        counted="SELECT count(*) FROM billing_invoice WHERE status <> 'draft'",
        violations="""
            WITH lines AS (
                SELECT invoice_id, sum(amount_minor) AS net FROM billing_invoiceline GROUP BY 1
            ), taxes AS (
                SELECT invoice_id, sum(tax_minor) AS tax FROM billing_invoicetax GROUP BY 1
            ), posted AS (
                SELECT t.source_type, t.source_id,
                    sum(e.amount_minor) FILTER (WHERE a.code IN ('2000', '1100')) AS customer,
                    -sum(e.amount_minor) FILTER (WHERE a.code = '2100') AS provider
                FROM billing_ledgertransaction t JOIN billing_ledgerentry e ON e.transaction_id = t.id
                JOIN billing_account a ON a.id = e.account_id
                WHERE t.purpose = 'issue' GROUP BY 1, 2
            )
            SELECT i.number, format('net %s (lines %s), tax %s (%s), total %s (posted %s)', i.net_minor,
                coalesce(l.net, 0), i.tax_minor, coalesce(x.tax, 0), i.total_minor,
                CASE i.side WHEN 'customer' THEN p.customer ELSE p.provider END)
            FROM billing_invoice i
            LEFT JOIN lines l ON l.invoice_id = i.id LEFT JOIN taxes x ON x.invoice_id = i.id
            LEFT JOIN posted p ON p.source_id = i.id
                AND p.source_type = CASE i.side WHEN 'customer' THEN 'invoice' ELSE 'statement' END
            WHERE i.status <> 'draft' AND (
                i.net_minor <> coalesce(l.net, 0) OR i.tax_minor <> coalesce(x.tax, 0)
                OR i.total_minor <> i.net_minor + i.tax_minor
                OR coalesce(CASE i.side WHEN 'customer' THEN p.customer ELSE p.provider END, 0) <> i.total_minor)
            """,
    ),
    by_query(
        "I3",
        "each line is its exact quantity at its price, or its share, rounded once; each tax its rate of its lines",
        "lines",
        counted="SELECT count(*) FROM billing_invoiceline",
        violations="""
            SELECT i.number, format('line %s: %s of %s at %s micros is not %s', l.n, l.raw_quantity, l.raw_per_unit,
                l.price_micros, l.amount_minor)
            FROM billing_invoiceline l JOIN billing_invoice i ON i.id = l.invoice_id
            LEFT JOIN {minor_units} USING (currency)
            WHERE l.price_micros IS NOT NULL AND l.amount_minor IS DISTINCT FROM round(
                l.raw_quantity * l.price_micros
                / (l.raw_per_unit::numeric * l.base_quantity * minor_unit.micros_per_minor))
            UNION ALL
            SELECT i.number, format('line %s: %s ppm of %s is not %s',
                l.n, l.share_ppm, l.share_base_minor, l.amount_minor)
            FROM billing_invoiceline l JOIN billing_invoice i ON i.id = l.invoice_id
            WHERE l.share_ppm IS NOT NULL
              AND abs(l.amount_minor) <> abs(round(l.share_base_minor * l.share_ppm::numeric / 1000000))
            UNION ALL
            SELECT i.number, format('tax %s at %s ppm on %s (lines %s)', t.tax_minor, t.rate_ppm, t.base_minor, s.base)
            FROM billing_invoicetax t JOIN billing_invoice i ON i.id = t.invoice_id
            LEFT JOIN (
                SELECT invoice_id, tax_category, tax_rate_ppm, sum(amount_minor) AS base
                FROM billing_invoiceline GROUP BY 1, 2, 3
            ) s ON s.invoice_id = t.invoice_id AND s.tax_category = t.category AND s.tax_rate_ppm = t.rate_ppm
            WHERE t.base_minor IS DISTINCT FROM s.base
               -- A note takes back what the tax on all notes comes to: a coin beside its own rate at most.
               OR abs(t.tax_minor - round(t.base_minor * t.rate_ppm::numeric / 1000000))
                  > CASE WHEN i.corrects_id IS NULL THEN 0 ELSE 1 END
            """,
    ),
    by_query(
        "I4",
        "a charge is billed once on each side (hours sold back: the buyer's), all of them once a contract is settled",
        "billed charges",
        counted="SELECT count(*) FROM billing_billedcharge",
        violations="""
            SELECT charge_id, format('on %s lines of the %s side', count(*), side) FROM billing_billedcharge
            GROUP BY charge_id, side HAVING count(*) > 1
            UNION ALL
            SELECT c.id, format('of a settled contract and not billed to the %s', sides.side)
            FROM billing_charge c JOIN billing_contract k ON k.id = c.contract_id AND k.status = 'settled'
            CROSS JOIN unnest(ARRAY['customer', 'provider']) AS sides (side)
            LEFT JOIN billing_billedcharge b ON b.charge_id = c.id AND b.side = sides.side
            WHERE b.id IS NULL AND (sides.side = 'customer' OR c.kind NOT IN ('resold', 'resale'))
              AND c.rated_at <= (SELECT max(i.created_at) FROM billing_invoice i
                                 WHERE i.contract_id = k.id AND i.side = sides.side)
            """,
    ),
    by_query(
        "I5",
        "what was paid, credited and written off stays within the total, and is what notes and write-offs say;"
        " a settled contract holds nothing",
        "documents and contracts",
        counted="SELECT (SELECT count(*) FROM billing_invoice) + (SELECT count(*) FROM billing_contract)",
        violations="""
            SELECT id, format('total %s, paid %s, credited %s, written off %s',
                total_minor, paid_minor, credited_minor, written_off_minor)
            FROM billing_invoice
            WHERE total_minor >= 0 AND paid_minor + credited_minor + written_off_minor > total_minor
            UNION ALL
            SELECT i.id, format('credited %s, its notes come to %s', i.credited_minor, coalesce(n.credited, 0))
            FROM billing_invoice i LEFT JOIN (
                SELECT corrects_id, -sum(total_minor) AS credited FROM billing_invoice
                WHERE status <> 'draft' GROUP BY 1
            ) n ON n.corrects_id = i.id
            WHERE i.side = 'customer' AND i.credited_minor <> coalesce(n.credited, 0)
            UNION ALL
            SELECT i.id, format('written off %s, approved %s', i.written_off_minor, coalesce(w.amount_minor, 0))
            FROM billing_invoice i LEFT JOIN billing_writeoff w ON w.invoice_id = i.id AND w.approved_at IS NOT NULL
            WHERE i.written_off_minor <> coalesce(w.amount_minor, 0)
               OR (i.status = 'written_off') <> (w.id IS NOT NULL) OR w.approved_by_id = w.asked_by_id
            UNION ALL
            SELECT i.id, 'disputed without an open dispute' FROM billing_invoice i
            WHERE i.status = 'disputed' AND NOT EXISTS (
                SELECT 1 FROM billing_invoicedispute d WHERE d.invoice_id = i.id AND d.resolved_at IS NULL)
            UNION ALL
            SELECT id, format('settled and holds %s', held_minor) FROM billing_contract
            WHERE status = 'settled' AND held_minor <> 0
            UNION ALL
            SELECT h.id, format('hold %s is less than its contracts'' share %s', h.amount_minor, sum(c.held_minor))
            FROM billing_hold h JOIN billing_contract c ON c.hold_id = h.id
            GROUP BY h.id, h.amount_minor HAVING sum(c.held_minor) > h.amount_minor
            """,
    ),
    by_query(
        "I6",
        "lines are counted by party and day, within their bound unless released, and nobody parked is billed",
        "days of parties",
        counted="SELECT count(*) FROM billing_billedday",
        violations="""
            WITH billed AS (
                SELECT i.organisation_id, i.side, (i.created_at AT TIME ZONE 'Asia/Shanghai')::date AS day,
                    count(*) AS lines
                FROM billing_invoice i JOIN billing_invoiceline l ON l.invoice_id = i.id
                WHERE i.status <> 'draft' AND i.corrects_id IS NULL GROUP BY 1, 2, 3
            )
            SELECT coalesce(d.organisation_id, b.organisation_id),
                format('%s lines on %s, counted %s', b.lines, coalesce(d.day, b.day), d.lines)
            FROM billing_billedday d FULL JOIN billed b USING (organisation_id, side, day)
            WHERE coalesce(d.lines, 0) <> coalesce(b.lines, 0)
            UNION ALL
            SELECT d.organisation_id, format('%s lines on %s, expected at most %s', d.lines, d.day, bound.most)
            FROM billing_billedday d
            CROSS JOIN LATERAL (
                SELECT max(lines_per_day) AS most FROM billing_billbound
                WHERE organisation_id IS NULL OR organisation_id = d.organisation_id
            ) bound
            WHERE d.lines > bound.most AND NOT EXISTS (
                SELECT 1 FROM billing_parking p
                WHERE p.organisation_id = d.organisation_id AND p.side = d.side AND p.released_at IS NOT NULL)
            UNION ALL
            SELECT i.organisation_id, format('%s was issued while its party was parked', i.number)
            FROM billing_invoice i JOIN billing_parking p
              ON p.organisation_id = i.organisation_id AND p.side = i.side
             AND i.created_at > p.parked_at AND i.created_at < coalesce(p.released_at, 'infinity')
            WHERE i.status <> 'draft' AND i.corrects_id IS NULL
            UNION ALL
            SELECT organisation_id, 'released by the one who asked, above the threshold, or without a reason'
            FROM billing_parking
            WHERE released_at IS NOT NULL AND (takes_two AND asked_by_id = released_by_id OR reason = '')
            """,
    ),
    by_query(
        "I7",
        "a dispute that was upheld was credited by a note between its opening and its resolution",
        "disputes",
        counted="SELECT count(*) FROM billing_invoicedispute",
        violations="""
            SELECT i.number, format('disputed at %s, upheld at %s, credited at %s', d.opened_at, d.resolved_at,
                (SELECT max(n.issued_at) FROM billing_invoice n WHERE n.corrects_id = i.id))
            FROM billing_invoicedispute d JOIN billing_invoice i ON i.id = d.invoice_id
            WHERE d.resolution = 'upheld' AND NOT EXISTS (
                SELECT 1 FROM billing_invoice n
                WHERE n.corrects_id = i.id AND n.kind = 'credit_note' AND n.status <> 'draft' AND n.total_minor < 0
                  AND n.issued_at >= d.opened_at AND n.issued_at <= d.resolved_at)
            """,
    ),
)
