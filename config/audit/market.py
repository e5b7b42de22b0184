"""Invariants of capacity, offers, orders, rounds, trades and leases (M)."""

from typing import Final

from config.audit.invariants import by_query

MARKET: Final = (
    by_query(
        "M1",
        "capacity of an hour is never oversold; its counters are those of its offers, trades, returns and resales",
        "offering hours",
        counted="SELECT count(*) FROM exchange_capacityslot",
        violations="""
            WITH on_offer AS (
                SELECT f.offering_id, s.starts_at, sum(s.quantity - s.held - s.sold) AS units, sum(s.held) AS held
                FROM exchange_offerslot s JOIN exchange_offer f ON f.id = s.offer_id
                WHERE f.closed_at IS NULL AND f.origin_id IS NULL GROUP BY 1, 2
            ), traded AS (
                SELECT offering_id, starts_at, sum(units) AS units FROM (
                    SELECT f.offering_id, hour AS starts_at, t.quantity AS units
                    FROM exchange_trade t JOIN exchange_offer f ON f.id = t.offer_id,
                        generate_series(t.starts_at, t.ends_at - interval '1 hour', interval '1 hour') AS hour
                    UNION ALL
                    SELECT s.offering_id, hour, -r.quantity
                    FROM (
                        SELECT slot_id, starts_at, ends_at, quantity FROM billing_contractrelease
                        UNION ALL -- bought once more, of what was sold already
                        SELECT slot_id, starts_at, ends_at, quantity FROM billing_contractresale
                    ) r JOIN billing_contractslot s ON s.id = r.slot_id,
                        generate_series(r.starts_at, r.ends_at - interval '1 hour', interval '1 hour') AS hour
                ) AS moved GROUP BY 1, 2
            )
            SELECT c.id, format('listed %s, offered %s (offers: %s), held %s (offers: %s), sold %s (trades: %s)',
                c.listed, c.offered, coalesce(o.units, 0), c.held, coalesce(o.held, 0), c.sold, coalesce(t.units, 0))
            FROM exchange_capacityslot c
            LEFT JOIN on_offer o USING (offering_id, starts_at)
            LEFT JOIN traded t USING (offering_id, starts_at)
            WHERE c.offered <> coalesce(o.units, 0) OR c.held <> coalesce(o.held, 0) OR c.sold <> coalesce(t.units, 0)
               OR c.offered + c.held + c.sold > c.listed OR least(c.offered, c.held, c.sold) < 0
            UNION ALL
            SELECT t.offering_id, format('traded at %s without a capacity row', t.starts_at)
            FROM traded t LEFT JOIN exchange_capacityslot c USING (offering_id, starts_at) WHERE c.id IS NULL
            """,
    ),
    by_query(
        "M2",
        "leases of one contract and offering do not overlap",
        "leases",
        counted="SELECT count(*) FROM exchange_lease",
        violations="""
            SELECT a.id, format('overlaps %s', b.id)
            FROM exchange_lease a JOIN exchange_lease b
              ON b.contract_id = a.contract_id AND b.offering_id = a.offering_id AND b.id > a.id
             AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at
            WHERE a.status <> 'replaced' AND b.status <> 'replaced'
            """,
    ),
    by_query(
        "M3",
        "an order's filled hours are those of its trades, and its hours add up",
        "orders",
        counted="SELECT count(*) FROM exchange_order",
        violations="""
            SELECT o.id, format('filled %s, trades %s, closed %s of %s', o.filled_unit_hours,
                coalesce(t.hours, 0), o.closed_unit_hours, o.total_unit_hours)
            FROM exchange_order o
            LEFT JOIN (SELECT order_id, sum(unit_hours) AS hours FROM exchange_trade GROUP BY 1) t ON t.order_id = o.id
            WHERE o.filled_unit_hours <> coalesce(t.hours, 0)
               OR o.filled_unit_hours + o.closed_unit_hours > o.total_unit_hours
               OR (o.closed_at IS NOT NULL AND o.filled_unit_hours + o.closed_unit_hours <> o.total_unit_hours)
            """,
    ),
    by_query(
        "M4",
        "every trade is within both limits (a block's limit is an average), between two organisations, in one currency",
        "trades",
        counted="SELECT count(*) FROM exchange_trade",
        violations="""
            SELECT t.id::text,
                format('price %s, reserve %s, limit %s', t.price_micros, f.reserve_micros, o.limit_micros)
            FROM exchange_trade t
            JOIN exchange_order o ON o.id = t.order_id JOIN exchange_offer f ON f.id = t.offer_id
            JOIN exchange_market m ON m.id = t.market_id
            WHERE t.price_micros < t.offer_reserve_micros
               OR (o.kind = 'hourly' AND t.price_micros > t.order_limit_micros)
               OR t.buyer_id = t.provider_id OR t.buyer_id <> o.buyer_id OR t.provider_id <> f.provider_id
               OR t.currency <> m.currency OR o.market_id <> f.market_id OR o.market_id <> t.market_id
               OR t.unit_hours <> t.quantity * extract(epoch FROM t.ends_at - t.starts_at) / 3600
               OR t.starts_at < o.earliest_at OR t.ends_at > o.latest_at
               OR t.starts_at < f.starts_at OR t.ends_at > f.ends_at
               OR NOT EXISTS (SELECT 1 FROM exchange_orderrevision v
                              WHERE v.order_id = o.id AND v.limit_micros = t.order_limit_micros)
               OR NOT EXISTS (SELECT 1 FROM exchange_offerrevision v
                              WHERE v.offer_id = f.id AND v.reserve_micros = t.offer_reserve_micros)
            UNION ALL
            SELECT format('%s in %s', t.order_id, t.round_id),
                format('a block pays %s micros for %s unit-hours limited to %s',
                    sum(t.price_micros::numeric * t.unit_hours), sum(t.unit_hours), max(t.order_limit_micros))
            FROM exchange_trade t WHERE t.order_kind = 'block'
            GROUP BY t.order_id, t.round_id
            HAVING sum(t.price_micros::numeric * t.unit_hours) > sum(t.order_limit_micros::numeric * t.unit_hours)
            """,
    ),
    by_query(
        "M5",
        "a gate has one round, a round one outcome, and its trades are the outcome's",
        "rounds",
        counted="SELECT count(*) FROM exchange_round",
        violations="""
            WITH declared AS (
                SELECT r.id AS round_id, (t ->> 'price')::bigint AS price_micros, m.lot_units
                    * sum((t ->> 'qty')::numeric * ((t ->> 't1')::int - (t ->> 't0')::int)) AS hours
                FROM exchange_round r JOIN exchange_market m ON m.id = r.market_id
                JOIN exchange_roundoutcome o ON o.round_id = r.id,
                    jsonb_array_elements(o.text::jsonb -> 'trades') AS t
                WHERE r.status = 'published' GROUP BY 1, 2, m.lot_units
            ), made AS (
                SELECT t.round_id, t.price_micros, sum(t.unit_hours) AS hours
                FROM exchange_trade t JOIN exchange_round r ON r.id = t.round_id AND r.status = 'published'
                GROUP BY 1, 2
            )
            SELECT coalesce(d.round_id, made.round_id)::text, format('at %s micros: outcome %s unit-hours, trades %s',
                coalesce(d.price_micros, made.price_micros), coalesce(d.hours, 0), coalesce(made.hours, 0))
            FROM declared d FULL JOIN made USING (round_id, price_micros)
            WHERE coalesce(d.hours, 0) <> coalesce(made.hours, 0)
            UNION ALL
            SELECT r.id::text, format('%s with trades and without an outcome', r.status)
            FROM exchange_round r LEFT JOIN exchange_roundoutcome o ON o.round_id = r.id
            WHERE (o.round_id IS NULL OR r.status = 'void')
              AND EXISTS (SELECT 1 FROM exchange_trade t WHERE t.round_id = r.id)
            UNION ALL
            SELECT market_id::text, format('%s rounds at %s', count(*), scheduled_at)
            FROM exchange_round GROUP BY market_id, scheduled_at HAVING count(*) > 1
            """,
    ),
    by_query(
        "M6",
        "a frozen book and its outcome carry the digests of their texts, and hold exactly the orders that took part",
        "books",
        counted="SELECT count(*) FROM exchange_roundsnapshot",
        violations="""
            SELECT round_id, 'the text of the book does not have its digest' FROM exchange_roundsnapshot
            WHERE encode(sha256(convert_to(text, 'UTF8')), 'hex') <> digest
            UNION ALL
            SELECT round_id, 'the text of the outcome does not have its digest' FROM exchange_roundoutcome
            WHERE encode(sha256(convert_to(text, 'UTF8')), 'hex') <> digest
            UNION ALL
            SELECT o.round_id, 'the outcome is of another book'
            FROM exchange_roundoutcome o LEFT JOIN exchange_roundsnapshot s ON s.round_id = o.round_id
            WHERE s.digest IS DISTINCT FROM o.snapshot_digest
            UNION ALL
            SELECT s.round_id, format('%s orders in the book, %s took part', b.orders, count(e.id))
            FROM exchange_roundsnapshot s
            CROSS JOIN LATERAL ( -- what is open of an order with a gap is in the book as parts: ord_... .7840
                SELECT count(DISTINCT split_part(entry ->> 'id', '.', 1)) AS orders
                FROM jsonb_array_elements(s.text::jsonb -> 'orders') AS entry
            ) b
            LEFT JOIN exchange_roundorder e ON e.round_id = s.round_id
            GROUP BY s.round_id, b.orders HAVING b.orders <> count(e.id)
            UNION ALL
            SELECT e.round_id, format('order %s: outcome of the round %s unit-hours, trades %s',
                e.order_id, e.filled_unit_hours, coalesce(t.hours, 0))
            FROM exchange_roundorder e LEFT JOIN (
                SELECT round_id, order_id, sum(unit_hours) AS hours FROM exchange_trade GROUP BY 1, 2
            ) t ON t.round_id = e.round_id AND t.order_id = e.order_id
            WHERE e.state <> 'locked' AND e.filled_unit_hours <> coalesce(t.hours, 0)
            """,
    ),
    by_query(
        "M7",
        "in a round, one delivery pool and hour has one price, the published one",
        "pool hours",
        counted="""
            SELECT count(DISTINCT (t.round_id, f.offering_id, hour)) FROM exchange_trade t
            JOIN exchange_offer f ON f.id = t.offer_id,
                generate_series(t.starts_at, t.ends_at - interval '1 hour', interval '1 hour') AS hour
            WHERE t.round_id IS NOT NULL
            """,
        violations="""
            SELECT min(g.site_id::text),
                format('%s prices at %s in round %s', count(DISTINCT t.price_micros), hour, t.round_id)
            FROM exchange_trade t JOIN exchange_offer f ON f.id = t.offer_id
            JOIN catalog_offering g ON g.id = f.offering_id,
                generate_series(t.starts_at, t.ends_at - interval '1 hour', interval '1 hour') AS hour
            WHERE t.round_id IS NOT NULL -- an instant price is its offer's own
            GROUP BY t.round_id, hour, g.site_id, g.resource_type_id, g.fabric,
                g.security_level, g.rated_tflops, g.memory_gb
            HAVING count(DISTINCT t.price_micros) > 1
            UNION ALL
            SELECT coalesce(p.round_id, t.round_id)::text, format('at %s micros %s unit-hours published, %s traded',
                price_micros, coalesce(p.hours, 0), coalesce(t.hours, 0))
            FROM (
                SELECT round_id, price_micros, sum(traded_unit_hours) AS hours FROM exchange_roundprice GROUP BY 1, 2
            ) p
            FULL JOIN (
                SELECT t.round_id, t.price_micros, sum(t.unit_hours) AS hours
                FROM exchange_trade t JOIN exchange_round r ON r.id = t.round_id AND r.status = 'published'
                GROUP BY 1, 2
            ) t USING (round_id, price_micros)
            WHERE coalesce(p.hours, 0) <> coalesce(t.hours, 0)
            """,
    ),
    by_query(
        "M8",
        "every round whose gate passed while the exchange ran is published or void when its calendar says",
        "rounds",
        counted="SELECT count(*) FROM exchange_round",
        violations="""
            SELECT r.id, format('%s, its gate was at %s', r.status, r.scheduled_at)
            FROM exchange_round r JOIN exchange_market m ON m.id = r.market_id
            CROSS JOIN LATERAL (
                SELECT coalesce((
                    SELECT (c ->> 'publish_seconds')::integer FROM jsonb_array_elements(m.calendars) AS c
                    WHERE (c ->> 'effective_from')::timestamptz <= r.scheduled_at
                    ORDER BY (c ->> 'effective_from')::timestamptz DESC LIMIT 1
                ), 300) * interval '1 second' AS within
            ) k
            WHERE r.status NOT IN ('published', 'void')
              AND r.scheduled_at < (SELECT max(at) FROM accounts_event) - k.within
            """,
    ),
    by_query(
        "M9",
        "an offer's sold hours are those of its trades and of its hours, its held hours those of its hours",
        "offers",
        counted="SELECT count(*) FROM exchange_offer",
        violations="""
            SELECT f.id, format('sold %s, trades %s, hours %s; held %s, hours %s', f.sold_unit_hours,
                coalesce(t.hours, 0), coalesce(s.sold, 0), f.held_unit_hours, coalesce(s.held, 0))
            FROM exchange_offer f
            LEFT JOIN (SELECT offer_id, sum(unit_hours) AS hours FROM exchange_trade GROUP BY 1) t ON t.offer_id = f.id
            LEFT JOIN (
                SELECT offer_id, sum(sold) AS sold, sum(held) AS held FROM exchange_offerslot GROUP BY 1
            ) s ON s.offer_id = f.id
            WHERE f.held_unit_hours <> coalesce(s.held, 0)
               OR f.sold_unit_hours <> coalesce(t.hours, 0) OR f.sold_unit_hours <> coalesce(s.sold, 0)
               OR f.held_unit_hours + f.sold_unit_hours + f.closed_unit_hours > f.total_unit_hours
            """,
    ),
    by_query(
        "M10",
        "a contract is an order's fill in a round by a provider, or a quote's part; its schedule equals its trades",
        "contracts",
        counted="SELECT count(*) FROM billing_contract WHERE source_type IN ('round_order', 'quote_part')",
        violations="""
            WITH agreed AS (
                SELECT s.contract_id, s.offering_id, hour, s.quantity::bigint AS units, s.price_micros
                FROM billing_contractslot s JOIN billing_contract c
                    ON c.id = s.contract_id AND c.source_type IN ('round_order', 'quote_part'),
                    generate_series(s.starts_at, s.ends_at - interval '1 hour', interval '1 hour') AS hour
            ), traded AS (
                SELECT t.contract_id, f.offering_id, hour,
                    sum(t.quantity)::bigint AS units, max(t.price_micros) AS price_micros
                FROM exchange_trade t JOIN exchange_offer f ON f.id = t.offer_id,
                    generate_series(t.starts_at, t.ends_at - interval '1 hour', interval '1 hour') AS hour
                GROUP BY 1, 2, 3
            )
            SELECT coalesce(a.contract_id, t.contract_id), format('%s: agreed %s at %s, traded %s at %s',
                coalesce(a.hour, t.hour), a.units, a.price_micros, t.units, t.price_micros)
            FROM agreed a FULL JOIN traded t USING (contract_id, offering_id, hour)
            WHERE a.units IS DISTINCT FROM t.units OR a.price_micros IS DISTINCT FROM t.price_micros
            UNION ALL
            SELECT t.id, 'trade and contract differ in order or parties'
            FROM exchange_trade t LEFT JOIN billing_contract c ON c.id = t.contract_id
            LEFT JOIN exchange_roundorder e ON e.id = c.source_id AND e.round_id = t.round_id
            LEFT JOIN exchange_quotepart p ON p.id = c.source_id AND p.offer_id = t.offer_id
            WHERE e.order_id IS DISTINCT FROM t.order_id OR p.quote_id IS DISTINCT FROM t.quote_id
               OR c.buyer_id IS DISTINCT FROM t.buyer_id
               OR c.provider_id IS DISTINCT FROM t.provider_id OR c.currency IS DISTINCT FROM t.currency
            """,
    ),
    by_query(
        "M11",
        "a contract's leases hand over exactly what it says, less what was handed or sold back, hour by hour",
        "lease hours",
        counted="SELECT coalesce(sum(extract(epoch FROM ends_at - starts_at) / 3600)::bigint, 0) FROM exchange_lease",
        violations="""
            WITH agreed AS (
                SELECT s.contract_id, s.offering_id, hour, sum(s.quantity) AS units
                FROM billing_contractslot s JOIN billing_contract c
                    ON c.id = s.contract_id AND c.source_type IN ('round_order', 'quote_part'),
                    generate_series(s.starts_at, s.ends_at - interval '1 hour', interval '1 hour') AS hour
                GROUP BY 1, 2, 3
            ), back AS (
                SELECT s.contract_id, s.offering_id, hour, sum(r.quantity) AS units
                FROM (
                    SELECT slot_id, starts_at, ends_at, quantity FROM billing_contractrelease
                    UNION ALL SELECT slot_id, starts_at, ends_at, quantity FROM billing_contractresale
                ) r JOIN billing_contractslot s ON s.id = r.slot_id,
                    generate_series(r.starts_at, r.ends_at - interval '1 hour', interval '1 hour') AS hour
                GROUP BY 1, 2, 3
            ), owed AS (
                SELECT a.contract_id, a.offering_id, a.hour, a.units - coalesce(b.units, 0) AS units
                FROM agreed a LEFT JOIN back b USING (contract_id, offering_id, hour)
                WHERE a.units IS DISTINCT FROM b.units
            ), handed AS (
                SELECT l.contract_id, l.offering_id, hour, sum(l.quantity) AS units
                FROM exchange_lease l,
                    generate_series(l.starts_at, l.ends_at - interval '1 hour', interval '1 hour') AS hour
                WHERE l.status <> 'replaced' GROUP BY 1, 2, 3
            ), leased AS (
                SELECT h.contract_id, h.offering_id, h.hour, h.units - coalesce(b.units, 0) AS units
                FROM handed h LEFT JOIN back b USING (contract_id, offering_id, hour)
                WHERE h.units IS DISTINCT FROM b.units
            )
            SELECT coalesce(a.contract_id, l.contract_id),
                format('%s: owed %s, leased %s', coalesce(a.hour, l.hour), a.units, l.units)
            FROM owed a FULL JOIN leased l USING (contract_id, offering_id, hour)
            WHERE a.units IS DISTINCT FROM l.units
            """,
    ),
    by_query(
        "M12",
        "an order that can still fill is covered by its hold, fee and tax included",
        "live orders",
        counted="SELECT count(*) FROM exchange_order WHERE closed_at IS NULL",
        violations="""
            WITH worst AS (
                SELECT o.id, o.hold_id, o.buyer_fee_ppm, o.tax_rate_ppm, round(
                    o.limit_micros::numeric * (o.total_unit_hours - o.filled_unit_hours - o.closed_unit_hours)
                    / minor_unit.micros_per_minor) AS value
                FROM exchange_order o LEFT JOIN {minor_units} USING (currency) WHERE o.closed_at IS NULL
            ), with_fee AS (
                SELECT *, value + round(value * buyer_fee_ppm / 1000000) AS net FROM worst
            ), needed AS (
                SELECT f.id, f.hold_id, net + round(net * tax_rate_ppm / 1000000)
                    + coalesce((SELECT sum(c.held_minor) FROM billing_contract c WHERE c.hold_id = f.hold_id), 0)
                    AS minor
                FROM with_fee f
            )
            SELECT n.id, format('held %s, needed %s', h.amount_minor, n.minor)
            FROM needed n JOIN billing_hold h ON h.id = n.hold_id WHERE (h.amount_minor < n.minor) IS NOT FALSE
            """,
    ),
    by_query(
        "M14",
        "an outcome was found under the rules of its round, and names its engine",
        "outcomes",
        counted="SELECT count(*) FROM exchange_roundoutcome",
        violations="""
            SELECT o.round_id, format('rules %s by engine "%s"; the round says %s',
                o.rules_version, o.engine_version, r.rules_version)
            FROM exchange_roundoutcome o LEFT JOIN exchange_round r ON r.id = o.round_id
            WHERE o.rules_version IS DISTINCT FROM r.rules_version OR o.engine_version = ''
               OR o.welfare_micros > o.bound_micros
            """,
    ),
    by_query(
        "M18",
        "what was handed back was agreed, at the credit that its contract states, and is charged once",
        "returns",
        counted="SELECT count(*) FROM billing_contractrelease",
        violations="""
            SELECT r.id, format('%s units from %s: credit %s, agreed %s; charged %s unit-seconds due at %s',
                r.quantity, r.starts_at, r.credit_ppm, s.return_credit_ppm, c.seconds, c.due)
            FROM billing_contractrelease r JOIN billing_contractslot s ON s.id = r.slot_id
            LEFT JOIN (
                SELECT release_id, sum(raw_quantity) AS seconds, array_agg(DISTINCT due_ppm) AS due
                FROM billing_charge WHERE kind = 'returned' GROUP BY 1
            ) c ON c.release_id = r.id
            WHERE r.contract_id <> s.contract_id OR r.starts_at < s.starts_at OR r.ends_at > s.ends_at
               OR r.credit_ppm IS DISTINCT FROM s.return_credit_ppm OR r.created_at > r.starts_at
               OR c.seconds IS DISTINCT FROM r.quantity * extract(epoch FROM r.ends_at - r.starts_at)
               OR c.due IS DISTINCT FROM ARRAY[1000000 - r.credit_ppm]
            """,
    ),
    by_query(
        "M19",
        "what is paused was agreed, at the credit that its contract states, and is charged once, when its time is over",
        "pauses",
        counted="SELECT count(*) FROM billing_contractpause",
        violations="""
            WITH paused AS (
                SELECT p.*, coalesce(r.resumes_at, p.ends_at) AS until FROM billing_contractpause p
                LEFT JOIN billing_contractresumption r ON r.pause_id = p.id
            ), charged AS (
                SELECT pause_id, sum(raw_quantity) AS seconds, array_agg(DISTINCT due_ppm) AS due
                FROM billing_charge WHERE kind = 'paused' GROUP BY 1
            )
            SELECT p.id, format('%s units from %s: credit %s, agreed %s; charged %s of %s unit-seconds due at %s',
                p.quantity, p.starts_at, p.credit_ppm, s.pause_credit_ppm, c.seconds, w.seconds, c.due)
            FROM paused p JOIN billing_contractslot s ON s.id = p.slot_id
            JOIN billing_contract k ON k.id = p.contract_id
            CROSS JOIN LATERAL (SELECT p.quantity * extract(epoch FROM p.until - p.starts_at) AS seconds) w
            LEFT JOIN charged c ON c.pause_id = p.id
            WHERE p.contract_id <> s.contract_id OR p.starts_at < s.starts_at OR p.ends_at > s.ends_at
               OR p.credit_ppm IS DISTINCT FROM s.pause_credit_ppm OR p.created_at > p.starts_at
               OR p.until < p.starts_at OR p.until > p.ends_at
               OR (k.status = 'settled' AND k.terminated_reason = '' AND coalesce(c.seconds, 0) <> w.seconds)
               OR coalesce(c.seconds, 0) > w.seconds OR c.due <> ARRAY[1000000 - p.credit_ppm]
            """,
    ),
    by_query(
        "M20",
        "every gate, the phase before it and the time of its publication are those of its market's calendar, and"
        " nothing was traded before that time",
        "rounds",
        counted="SELECT count(*) FROM exchange_round",
        violations="""
            SELECT r.id, format('gate at %s, no-cancel phase from %s, publishes at %s, calendar %s',
                r.scheduled_at, r.locks_at, r.publishes_at, k)
            FROM exchange_round r JOIN exchange_market m ON m.id = r.market_id
            CROSS JOIN LATERAL (
                SELECT coalesce((
                    SELECT c FROM jsonb_array_elements(m.calendars) AS c
                    WHERE (c ->> 'effective_from')::timestamptz <= r.scheduled_at
                    ORDER BY (c ->> 'effective_from')::timestamptz DESC LIMIT 1
                ), jsonb_build_object(
                    'gate_interval_seconds', m.gate_interval_seconds, 'gate_offset_seconds', m.gate_offset_seconds,
                    'no_cancel_seconds', m.no_cancel_seconds, 'closed_days', '[]'::jsonb
                )) AS k
            ) calendar
            CROSS JOIN LATERAL (
                SELECT extract(epoch FROM r.scheduled_at - m.epoch::timestamp AT TIME ZONE m.timezone)
                    - (k ->> 'gate_offset_seconds')::integer AS since
            ) s
            WHERE mod(s.since, (k ->> 'gate_interval_seconds')::integer) <> 0
               OR r.locks_at <> r.scheduled_at - (k ->> 'no_cancel_seconds')::integer * interval '1 second'
               OR k -> 'closed_days' ? (r.scheduled_at AT TIME ZONE m.timezone)::date::text
               OR r.publishes_at
                   <> r.scheduled_at + coalesce((k ->> 'publish_after_seconds')::integer, 0) * interval '1 second'
            UNION ALL
            SELECT t.id, format('traded at %s, its round publishes at %s', t.created_at, r.publishes_at)
            FROM exchange_trade t JOIN exchange_round r ON r.id = t.round_id WHERE t.created_at < r.publishes_at
            """,
    ),
)
