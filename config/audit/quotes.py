"""Invariants of firm quotes and of what is bought by them (Q)."""

from typing import Final

from config.audit.invariants import by_query

QUOTES: Final = (
    by_query(
        "Q1",
        "what capacity and offers have held is what open quotes hold, hour by hour",
        "offering hours",
        counted="SELECT count(*) FROM exchange_capacityslot",
        violations="""
            WITH quoted AS (
                SELECT p.offer_id, hour AS starts_at, sum(l.quantity) AS units
                FROM exchange_quote q JOIN exchange_quotepart p ON p.quote_id = q.id
                JOIN exchange_quoteline l ON l.part_id = p.id,
                    generate_series(l.starts_at, l.ends_at - interval '1 hour', interval '1 hour') AS hour
                WHERE q.status = 'open' GROUP BY 1, 2
            )
            SELECT coalesce(s.offer_id, u.offer_id)::text, format('%s: held of the offer %s, by quotes %s',
                coalesce(s.starts_at, u.starts_at), coalesce(s.held, 0), coalesce(u.units, 0))
            FROM exchange_offerslot s FULL JOIN quoted u USING (offer_id, starts_at)
            WHERE coalesce(s.held, 0) <> coalesce(u.units, 0)
            UNION ALL
            SELECT c.id::text, format('held of capacity %s, by quotes %s', c.held, coalesce(o.units, 0))
            FROM exchange_capacityslot c LEFT JOIN (
                SELECT f.offering_id, u.starts_at, sum(u.units) AS units
                FROM quoted u JOIN exchange_offer f ON f.id = u.offer_id GROUP BY 1, 2
            ) o USING (offering_id, starts_at)
            WHERE c.held <> coalesce(o.units, 0)
            """,
    ),
    by_query(
        "Q2",
        "an accepted quote, accepted in time, is a contract for each part and a trade for each line at its price",
        "quotes",
        counted="SELECT count(*) FROM exchange_quote",
        violations="""
            WITH line AS (
                SELECT q.id AS quote_id, p.offer_id, p.id AS part_id, p.price_micros,
                    l.starts_at, l.ends_at, l.quantity
                FROM exchange_quote q JOIN exchange_quotepart p ON p.quote_id = q.id
                JOIN exchange_quoteline l ON l.part_id = p.id WHERE q.status = 'accepted'
            ), made AS (
                SELECT t.quote_id, t.offer_id, c.source_id AS part_id, t.price_micros,
                    t.starts_at, t.ends_at, t.quantity
                FROM exchange_trade t LEFT JOIN billing_contract c
                    ON c.id = t.contract_id AND c.source_type = 'quote_part'
                WHERE t.quote_id IS NOT NULL
            )
            SELECT x.quote_id::text, format('%s from %s at %s: %s', x.quantity, x.starts_at, x.price_micros, what)
            FROM (
                (SELECT *, 'quoted and not traded' AS what FROM (SELECT * FROM line EXCEPT ALL SELECT * FROM made) a)
                UNION ALL
                (SELECT *, 'traded and not quoted' FROM (SELECT * FROM made EXCEPT ALL SELECT * FROM line) b)
            ) x
            UNION ALL
            SELECT q.id::text, format('%s at %s, to be decided before %s', q.status, q.closed_at, q.expires_at)
            FROM exchange_quote q WHERE (q.status = 'accepted') <> (q.hold_id IS NOT NULL)
               OR (q.status = 'accepted' AND q.closed_at >= q.expires_at)
               OR (q.status = 'expired' AND q.closed_at < q.expires_at)
               OR (q.status = 'open') <> (q.closed_at IS NULL)
            UNION ALL
            SELECT p.quote_id::text, format('part %s: value %s agreed as %s, held %s of %s', p.id, p.value_minor,
                c.value_minor, c.held_minor, p.value_minor + p.fee_minor + p.tax_minor)
            FROM billing_contract c JOIN exchange_quotepart p ON p.id = c.source_id
            WHERE c.source_type = 'quote_part' AND (c.value_minor <> p.value_minor
               OR c.held_minor > p.value_minor + p.fee_minor + p.tax_minor)
            UNION ALL
            SELECT q.id::text, format('funds were held from another wallet or for another project, or %s of %s',
                (SELECT e.amount_minor FROM billing_holdevent e WHERE e.hold_id = h.id AND e.kind = 'placed'),
                q.value_minor + q.fee_minor + q.tax_minor)
            FROM exchange_quote q JOIN billing_hold h ON h.id = q.hold_id
            WHERE (h.organisation_id, h.project_id, h.currency) <> (q.buyer_id, q.project_id, q.currency)
               OR (SELECT e.amount_minor FROM billing_holdevent e WHERE e.hold_id = h.id AND e.kind = 'placed')
                    IS DISTINCT FROM q.value_minor + q.fee_minor + q.tax_minor
            """,
    ),
    by_query(
        "Q3",
        "a quote is every unit of every hour it was asked for, and its price that of its parts, each rounded once",
        "quotes",
        counted="SELECT count(*) FROM exchange_quote",
        violations="""
            WITH part AS (
                SELECT p.*, q.buyer_fee_ppm, q.tax_rate_ppm, round(p.price_micros::numeric
                    * (SELECT sum(l.quantity * extract(epoch FROM l.ends_at - l.starts_at) / 3600)
                       FROM exchange_quoteline l WHERE l.part_id = p.id)
                    / minor_unit.micros_per_minor) AS value
                FROM exchange_quotepart p JOIN exchange_quote q ON q.id = p.quote_id
                LEFT JOIN {minor_units} USING (currency)
            )
            SELECT p.quote_id, format('part %s: value %s, fee %s, tax %s; by its hours %s', p.id,
                p.value_minor, p.fee_minor, p.tax_minor, p.value)
            FROM part p WHERE p.value_minor IS DISTINCT FROM p.value
               OR p.fee_minor <> round(p.value_minor::numeric * p.buyer_fee_ppm / 1000000)
               OR p.tax_minor <> round((p.value_minor + p.fee_minor)::numeric * p.tax_rate_ppm / 1000000)
               OR p.price_micros < p.reserve_micros
            UNION ALL
            SELECT q.id, format('value %s, fee %s, tax %s; of its parts %s, %s, %s',
                q.value_minor, q.fee_minor, q.tax_minor, s.value, s.fee, s.tax)
            FROM exchange_quote q LEFT JOIN (
                SELECT quote_id, sum(value_minor) AS value, sum(fee_minor) AS fee, sum(tax_minor) AS tax
                FROM exchange_quotepart GROUP BY 1
            ) s ON s.quote_id = q.id
            WHERE (q.value_minor, q.fee_minor, q.tax_minor) IS DISTINCT FROM (s.value, s.fee, s.tax)
               OR q.budget_minor < q.value_minor + q.fee_minor + q.tax_minor
            UNION ALL
            SELECT q.id, format('%s units at %s, %s were asked for', coalesce(h.units, 0), hour, q.quantity)
            FROM exchange_quote q
            CROSS JOIN LATERAL generate_series(q.starts_at, q.ends_at - interval '1 hour', interval '1 hour') AS hour
            LEFT JOIN LATERAL (
                SELECT sum(l.quantity) AS units FROM exchange_quotepart p JOIN exchange_quoteline l ON l.part_id = p.id
                WHERE p.quote_id = q.id AND l.starts_at <= hour AND hour < l.ends_at
            ) h ON true
            WHERE h.units IS DISTINCT FROM q.quantity
            """,
    ),
    by_query(
        "Q4",
        "no quote stays open a minute past its time while the exchange ran, nobody holds more than the market lets",
        "open quotes",
        counted="SELECT count(*) FROM exchange_quote WHERE status = 'open'",
        violations="""
            SELECT id, format('open, it held until %s', expires_at) FROM exchange_quote
            WHERE status = 'open' AND expires_at < (SELECT max(at) FROM accounts_event) - interval '1 minute'
            UNION ALL
            SELECT q.buyer_id, format('%s quotes with %s unit-hours in market %s', count(*), sum(q.unit_hours), m.code)
            FROM exchange_quote q JOIN exchange_market m ON m.id = q.market_id
            WHERE q.status = 'open' AND q.expires_at > (SELECT max(at) FROM accounts_event)
            GROUP BY q.buyer_id, m.id
            HAVING count(*) > m.quotes_at_once OR sum(q.unit_hours) > m.quoted_unit_hours_at_most
            """,
    ),
)
