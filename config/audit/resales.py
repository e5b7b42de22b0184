"""Invariants of hours that buyers sell back: what is on offer, what was sold, what is due of it (M)."""

from typing import Final

from config.audit.invariants import by_query

RESALES: Final = (
    by_query(
        "M21",
        "what was sold back is the same run of both contracts, bought from its buyer's offers, at its commission",
        "resales",
        counted="SELECT count(*) FROM billing_contractresale",
        violations="""
            SELECT r.id::text, format('%s from %s at %s micros, commission %s; taken over %s from %s at %s, agreed %s',
                r.quantity, r.starts_at, r.price_micros, r.commission_ppm,
                t.quantity, t.starts_at, t.price_micros, s.resale_commission_ppm)
            FROM billing_contractresale r
            LEFT JOIN billing_contractslot s ON s.id = r.slot_id AND s.contract_id = r.contract_id
            LEFT JOIN billing_contractslot t ON t.id = r.sold_as_id
            LEFT JOIN billing_contract k ON k.id = t.contract_id AND k.origin_id = r.contract_id
            WHERE k.id IS NULL OR s.offering_id IS DISTINCT FROM t.offering_id
               OR (r.starts_at, r.ends_at, r.quantity, r.price_micros)
                  IS DISTINCT FROM (t.starts_at, t.ends_at, t.quantity, t.price_micros)
               OR r.starts_at < s.starts_at OR r.ends_at > s.ends_at
               OR r.commission_ppm IS DISTINCT FROM s.resale_commission_ppm
               OR t.provider_price_micros IS DISTINCT FROM coalesce(s.provider_price_micros, s.price_micros)
            UNION ALL
            SELECT t.id::text, 'taken over, and noted nowhere that it was sold back; or paid by another price'
            FROM billing_contractslot t JOIN billing_contract k ON k.id = t.contract_id
            LEFT JOIN billing_contractresale r ON r.sold_as_id = t.id
            WHERE (k.origin_id IS NULL) <> (r.id IS NULL)
               OR (k.origin_id IS NULL AND t.provider_price_micros IS NOT NULL)
            UNION ALL
            SELECT x.id::text, 'bought from an offer of another contract than it takes hours over from'
            FROM exchange_trade x JOIN exchange_offer f ON f.id = x.offer_id
            JOIN billing_contract k ON k.id = x.contract_id
            WHERE f.origin_id IS DISTINCT FROM k.origin_id
            """,
    ),
    by_query(
        "M22",
        "what is on offer of a lease is its buyer's and owed, and no member buys what it sells back or delivers",
        "offers of hours that are sold back",
        counted="SELECT count(*) FROM exchange_offer WHERE origin_id IS NOT NULL",
        violations="""
            WITH offered AS (
                SELECT f.origin_id AS contract_id, f.offering_id, s.starts_at AS hour, sum(s.quantity - s.sold) AS units
                FROM exchange_offer f JOIN exchange_offerslot s ON s.offer_id = f.id
                WHERE f.origin_id IS NOT NULL AND f.closed_at IS NULL AND s.quantity > s.sold GROUP BY 1, 2, 3
            ), gone AS (
                SELECT slot_id, starts_at, ends_at, quantity FROM billing_contractrelease
                UNION ALL SELECT slot_id, starts_at, ends_at, quantity FROM billing_contractresale
                UNION ALL SELECT p.slot_id, p.starts_at, coalesce(u.resumes_at, p.ends_at), p.quantity
                FROM billing_contractpause p LEFT JOIN billing_contractresumption u ON u.pause_id = p.id
            )
            SELECT o.contract_id::text, format('%s on offer at %s, %s left', o.units, o.hour, w.units)
            FROM offered o
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(s.quantity - coalesce((
                    SELECT sum(g.quantity) FROM gone g
                    WHERE g.slot_id = s.id AND g.starts_at <= o.hour AND o.hour < g.ends_at), 0)), 0) AS units
                FROM billing_contractslot s
                WHERE s.contract_id = o.contract_id AND s.offering_id = o.offering_id
                  AND s.starts_at <= o.hour AND o.hour < s.ends_at
            ) w
            WHERE o.units > w.units
            UNION ALL
            SELECT f.id::text, 'of another provider, market or offering than the contract it is sold back from'
            FROM exchange_offer f JOIN billing_contract c ON c.id = f.origin_id
            JOIN exchange_market m ON m.id = f.market_id
            WHERE c.provider_id <> f.provider_id OR c.market_code <> m.code
               OR f.instant_price_micros IS NOT NULL OR f.held_unit_hours <> 0
               OR NOT EXISTS (SELECT 1 FROM billing_contractslot s
                              WHERE s.contract_id = c.id AND s.offering_id = f.offering_id)
            UNION ALL
            SELECT x.id::text, 'bought from oneself'
            FROM exchange_trade x JOIN exchange_offer f ON f.id = x.offer_id
            JOIN billing_contract c ON c.id = f.origin_id
            WHERE x.buyer_id IN (c.buyer_id, c.provider_id)
            """,
    ),
    by_query(
        "M23",
        "of hours sold back the same share is due as of those that took them over, which their provider is paid for",
        "charges of resales",
        counted="SELECT count(*) FROM billing_charge WHERE kind IN ('resold', 'resale')",
        violations="""
            SELECT c.id::text, format('%s of %s unit-seconds at %s due at %s, follows %s due at %s', c.kind,
                c.raw_quantity, c.price_micros, c.due_ppm, f.raw_quantity, coalesce(f.due_ppm, 1000000))
            FROM billing_charge c
            LEFT JOIN billing_contractresale r ON r.id = c.resale_id
            LEFT JOIN billing_contractslot s ON s.id = r.slot_id
            LEFT JOIN billing_charge f ON f.id = c.follows_id AND f.slot_id = r.sold_as_id
                AND f.kind IN ('delivered', 'returned', 'paused', 'resold')
            WHERE c.kind IN ('resold', 'resale') AND (
                f.id IS NULL OR c.contract_id <> r.contract_id
                OR (c.starts_at, c.ends_at, c.raw_per_unit) <> (f.starts_at, f.ends_at, f.raw_per_unit)
                OR CASE c.kind WHEN 'resold' THEN (c.raw_quantity, c.price_micros, c.due_ppm)
                        <> (f.raw_quantity, s.price_micros, coalesce(f.due_ppm, 1000000))
                   ELSE (c.raw_quantity, c.price_micros, c.due_ppm)
                        <> (f.raw_quantity * coalesce(f.due_ppm, 1000000) / 1000000, r.price_micros,
                            1000000 - r.commission_ppm) END)
            UNION ALL
            SELECT f.id::text, format('%s unit-seconds due, followed by %s charges', f.raw_quantity, count(c.id))
            FROM billing_contractresale r JOIN billing_contract k ON k.id = r.contract_id AND k.status = 'settled'
            JOIN billing_charge f ON f.slot_id = r.sold_as_id
                AND f.kind IN ('delivered', 'returned', 'paused', 'resold')
            LEFT JOIN billing_charge c ON c.follows_id = f.id AND c.resale_id = r.id
            GROUP BY f.id HAVING count(c.id) <> 2
            UNION ALL
            SELECT b.id::text, format('%s: the provider was stated %s micros, agreed were %s', i.number, l.price_micros,
                s.provider_price_micros)
            FROM billing_billedcharge b JOIN billing_charge c ON c.id = b.charge_id
            JOIN billing_contractslot s ON s.id = c.slot_id AND s.provider_price_micros IS NOT NULL
            JOIN billing_invoiceline l ON l.id = b.line_id JOIN billing_invoice i ON i.id = l.invoice_id
            WHERE b.side = 'provider' AND c.kind = 'delivered' AND l.price_micros <> s.provider_price_micros
            UNION ALL
            SELECT b.id::text, 'a matter of the buyer''s on a document of the provider'
            FROM billing_billedcharge b JOIN billing_charge c ON c.id = b.charge_id AND c.kind IN ('resold', 'resale')
            WHERE b.side = 'provider'
            """,
    ),
)
