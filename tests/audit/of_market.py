"""Corruptions of capacity, offers, orders, rounds, trades and leases."""

from typing import Final

from tests.audit.corruption import again, corruption, lost, one

_OTHER_ORGANISATION: Final = "(SELECT id FROM accounts_organisation WHERE can_operate)"
_PUBLISHED: Final = "status = 'published'"


def rewritten(text: str, *also: str, digest: str = "digest") -> str:
    """Rewrite the outcome of a round and give it the digest of its new text."""
    changes = ", ".join(
        (f"text = {text}", "public_digest = ''", f"{digest} = encode(sha256(convert_to({text}, 'UTF8')), 'hex')", *also)
    )
    return one("exchange_roundoutcome", changes, where="text LIKE '%%9000000%%'", key="round_id")


def _indicated(taken_at: str) -> str:
    """Say an indication of the published rounds, taken at an instant of theirs."""
    return (
        "INSERT INTO exchange_indication (id, round_id, place, taken_at, book_digest, outcome_digest, engine_version,"
        " degraded, matched_unit_hours, lines, created_at)"
        f" SELECT gen_random_uuid(), r.id, 9, {taken_at}, '', '', 'x', false, 0, '[]', {taken_at}"
        " FROM exchange_round r WHERE r.status = 'published'"
    )


# A card of one hour of the first run of a schedule.
HANDED_BACK: Final = """
    INSERT INTO billing_contractrelease (id, contract_id, slot_id, starts_at, ends_at, quantity, credit_ppm, created_at)
    SELECT gen_random_uuid(), contract_id, id, starts_at, starts_at + interval '1 hour', 1, return_credit_ppm, starts_at
    FROM billing_contractslot ORDER BY id LIMIT 1
"""
CHARGED: Final = """
    INSERT INTO billing_charge (
        id, contract_id, release_id, slot_id, n, kind, offering_id, unit, price_micros, base_quantity, raw_quantity,
        raw_per_unit, starts_at, ends_at, rated_at, due_ppm
    )
    SELECT gen_random_uuid(), r.contract_id, r.id, s.id, 0, 'returned', s.offering_id, s.unit, s.price_micros, 1,
        {seconds}, 3600, r.starts_at, r.ends_at, r.created_at, {due}
    FROM billing_contractrelease r JOIN billing_contractslot s ON s.id = r.slot_id
"""
PAUSED: Final = """
    INSERT INTO billing_contractpause (id, contract_id, slot_id, starts_at, ends_at, quantity, credit_ppm, created_at)
    SELECT gen_random_uuid(), contract_id, id, starts_at, starts_at + interval '1 hour', 1, {credit}, starts_at
    FROM billing_contractslot ORDER BY id LIMIT 1
"""
PAUSE_CHARGED: Final = """
    INSERT INTO billing_charge (
        id, contract_id, pause_id, slot_id, n, kind, offering_id, unit, price_micros, base_quantity, raw_quantity,
        raw_per_unit, starts_at, ends_at, rated_at, due_ppm
    )
    SELECT gen_random_uuid(), p.contract_id, p.id, s.id, 0, 'paused', s.offering_id, s.unit, s.price_micros, 1,
        3601, 3600, p.starts_at, p.ends_at, p.created_at, 1000000 - p.credit_ppm
    FROM billing_contractpause p JOIN billing_contractslot s ON s.id = p.slot_id
"""

CORRUPTIONS: Final = (
    corruption("M1", "an hour counts a card sold that was not traded", one("exchange_capacityslot", "sold = sold + 1")),
    corruption(
        "M1", "an hour counts a card on offer that is not", one("exchange_capacityslot", "offered = offered + 1")
    ),
    corruption(
        "M1", "an hour is sold beyond what is listed", one("exchange_capacityslot", "listed = 0", where="sold > 0")
    ),
    corruption("M1", "fewer than no cards are held", one("exchange_capacityslot", "held = -1")),
    corruption("M1", "an hour was sold without capacity", lost("exchange_capacityslot", where="sold > 0")),
    corruption(
        "M2",
        "a contract's leases overlap",
        "UPDATE exchange_lease SET (contract_id, offering_id) ="
        " (SELECT contract_id, offering_id FROM exchange_lease ORDER BY id LIMIT 1)",
    ),
    corruption(
        "M3",
        "an order counts an hour that was not traded",
        one("exchange_order", "filled_unit_hours = filled_unit_hours + 1"),
    ),
    corruption(
        "M3",
        "an order is filled beyond its quantity",
        one("exchange_order", "total_unit_hours = filled_unit_hours - 1", where="filled_unit_hours > 0"),
    ),
    corruption("M3", "a closed order has hours open", one("exchange_order", "total_unit_hours = total_unit_hours + 1")),
    corruption(
        "M4",
        "a trade is below the provider's reserve",
        one("exchange_trade", "price_micros = offer_reserve_micros - 1"),
    ),
    corruption(
        "M4",
        "a trade is above the buyer's limit",
        one("exchange_trade", "price_micros = order_limit_micros + 1", where="order_kind = 'hourly'"),
    ),
    corruption(
        "M4",
        "a block pays more than its limit on average",
        one("exchange_trade", "price_micros = price_micros * 100", where="order_kind = 'block'"),
    ),
    corruption("M4", "a trade is with oneself", one("exchange_trade", "buyer_id = provider_id")),
    corruption("M4", "a trade is in another currency than its market", one("exchange_trade", "currency = 'USD'")),
    corruption(
        "M4",
        "a trade is before its order begins",
        "UPDATE exchange_order SET earliest_at = earliest_at + interval '1 hour'",
    ),
    corruption(
        "M4", "a trade is after its offer ends", "UPDATE exchange_offer SET ends_at = ends_at - interval '12 hours'"
    ),
    corruption(
        "M4",
        "a trade remembers a limit that nobody gave",
        one("exchange_trade", "order_limit_micros = order_limit_micros + 1000000"),
    ),
    corruption("M4", "a trade remembers a reserve that nobody gave", one("exchange_trade", "offer_reserve_micros = 0")),
    corruption("M4", "a trade counts more hours than it spans", one("exchange_trade", "unit_hours = unit_hours + 1")),
    corruption("M5", "a gate has two rounds", again("exchange_round", where=_PUBLISHED)),
    corruption("M5", "a trade is not in the outcome", again("exchange_trade")),
    corruption("M5", "a trade of the outcome is missing", lost("exchange_trade")),
    corruption(
        "M5",
        "a trade is at another price than in the outcome",
        one("exchange_trade", "price_micros = price_micros + 1"),
    ),
    corruption("M5", "a void round has trades", one("exchange_round", "status = 'void'", where=_PUBLISHED)),
    corruption("M5", "trades come from no outcome", "DELETE FROM exchange_roundoutcome"),
    corruption(
        "M6", "the frozen book was rewritten", one("exchange_roundsnapshot", "text = text || ' '", key="round_id")
    ),
    corruption("M6", "the outcome was rewritten", one("exchange_roundoutcome", "text = text || ' '", key="round_id")),
    corruption(
        "M6",
        "the outcome is of another book",
        one("exchange_roundoutcome", "snapshot_digest = repeat('0', 64)", key="round_id"),
    ),
    corruption("M6", "an order of the book did not take part", lost("exchange_roundorder")),
    corruption(
        "M6",
        "an order was settled with more than its trades",
        one("exchange_roundorder", "filled_unit_hours = filled_unit_hours + 1"),
    ),
    corruption(
        "M7",
        "two prices in one pool and hour",
        one("exchange_trade", "price_micros = price_micros + 1", where="order_kind = 'hourly'"),
    ),
    corruption("M7", "the published price is another", one("exchange_roundprice", "price_micros = price_micros + 1")),
    corruption(
        "M7", "the published volume is another", one("exchange_roundprice", "traded_unit_hours = traded_unit_hours + 1")
    ),
    corruption(
        "M8",
        "a round is still clearing days after its gate",
        one("exchange_round", "status = 'clearing'", where=_PUBLISHED),
    ),
    corruption(
        "M9",
        "an offer counts an hour that was not traded",
        one("exchange_offer", "sold_unit_hours = sold_unit_hours + 1"),
    ),
    corruption(
        "M9", "an hour of an offer counts a card that was not traded", one("exchange_offerslot", "sold = sold + 1")
    ),
    corruption(
        "M9", "an offer is closed beyond its hours", one("exchange_offer", "closed_unit_hours = total_unit_hours + 1")
    ),
    corruption(
        "M10", "a schedule has a card more than its trades", one("billing_contractslot", "quantity = quantity + 1")
    ),
    corruption(
        "M10",
        "a schedule has another price than its trades",
        one("billing_contractslot", "price_micros = price_micros + 1"),
    ),
    corruption(
        "M10",
        "an hour of a contract was not traded",
        again("billing_contractslot", "'starts_at', ends_at, 'ends_at', ends_at + interval '1 hour'"),
    ),
    corruption("M10", "a traded hour is not in the contract", lost("billing_contractslot")),
    corruption(
        "M10",
        "a contract is with another buyer than the trade",
        one("billing_contract", f"buyer_id = {_OTHER_ORGANISATION}"),
    ),
    corruption(
        "M10", "a contract is of another order than the trade", one("billing_contract", "source_id = gen_random_uuid()")
    ),
    corruption("M11", "a lease hands over a card too few", one("exchange_lease", "quantity = quantity - 1")),
    corruption("M11", "a lease ends an hour early", one("exchange_lease", "ends_at = ends_at - interval '1 hour'")),
    corruption("M11", "a contract has no lease", lost("exchange_lease")),
    corruption(
        "M12",
        "an order is open and nothing is held for it",
        one("exchange_order", "closed_at = NULL, closed_unit_hours = 0", where="filled_unit_hours = 0"),
    ),
    corruption(
        "M13",
        "a frozen round was given up and nobody asked for it",
        one("exchange_round", "status = 'void', voided_at = published_at", where=_PUBLISHED),
    ),
    corruption(
        "M13",
        "one person gave a round up alone",
        "INSERT INTO exchange_roundvoidrequest"
        " (id, round_id, reason, state, requested_by_id, requested_at, decided_by_id, decided_at)"
        " SELECT gen_random_uuid(), id, 'alone', 'confirmed', market_id, gated_at, market_id, gated_at"
        " FROM exchange_round WHERE status = 'published'",
        one("exchange_round", "status = 'void', voided_at = published_at", where=_PUBLISHED),
    ),
    corruption(
        "M14",
        "an outcome was found under other rules",
        one("exchange_roundoutcome", "rules_version = rules_version + 1", key="round_id"),
    ),
    corruption(
        "M14",
        "an outcome does not say by which engine",
        one("exchange_roundoutcome", "engine_version = ''", key="round_id"),
    ),
    corruption(
        "M14",
        "an outcome is better than its bound",
        one("exchange_roundoutcome", "welfare_micros = bound_micros + 1", key="round_id"),
    ),
    corruption(
        "M15",
        "an outcome sells below a reserve, under a digest of its own",
        rewritten("replace(text, '9000000', '7000000')"),
    ),
    corruption(
        "M15",
        "an outcome claims more welfare than its trades give",
        rewritten("replace(text, '\"welfare\":', '\"welfare\":1')"),
    ),
    corruption(
        "M15",
        "the welfare beside the outcome is another",
        one("exchange_roundoutcome", "welfare_micros = welfare_micros - 1", key="round_id"),
    ),
    corruption(
        "M15",
        "a certificate proves no bound",
        one("exchange_roundoutcome", "certificate = '{}'", key="round_id"),
    ),
    corruption(
        "M15",
        "a certificate claims less than it proves",
        one("exchange_roundoutcome", """certificate = replace(certificate, '"bound":', '"bound":-')""", key="round_id"),
    ),
    corruption(
        "M15",
        "a book is none",
        one("exchange_roundsnapshot", "text = '[]', digest = encode(sha256('[]'), 'hex')", key="round_id"),
        "UPDATE exchange_roundoutcome SET snapshot_digest = encode(sha256('[]'), 'hex')",
    ),
    corruption(
        "M15",
        "the book that is published is not the one that was named at the gate",
        one("exchange_roundsnapshot", "public_digest = repeat('0', 64)", key="round_id"),
    ),
    corruption(
        "M15",
        "the outcome that is published has another digest",
        one("exchange_roundoutcome", "public_digest = repeat('0', 64)", key="round_id"),
    ),
    corruption(
        "M16",
        "an outcome is legal, and not the one that the engine finds",
        rewritten("replace(text, '9000000', '8500000')"),
    ),
    corruption(
        "M16",
        "a certificate proves the bound, and is not the one that the engine gave",
        one("exchange_roundoutcome", "certificate = certificate || ' '", key="round_id"),
    ),
    corruption(
        "M16",
        "a book was changed under a digest of its own",
        one(
            "exchange_roundsnapshot",
            """text = replace(text, '"qty":16', '"qty":15'),
            digest = encode(sha256(convert_to(replace(text, '"qty":16', '"qty":15'), 'UTF8')), 'hex')""",
            key="round_id",
        ),
        "UPDATE exchange_roundoutcome o SET snapshot_digest = s.digest FROM exchange_roundsnapshot s"
        " WHERE s.round_id = o.round_id",
    ),
    corruption("M17", "an indication was taken after the gate", _indicated("r.scheduled_at")),
    corruption(
        "M17",
        "odds are of an order that got more than it wanted",
        _indicated("r.locks_at"),
        "INSERT INTO exchange_orderodds"
        " (id, indication_id, order_id, filled_unit_hours, wanted_unit_hours, limit_micros)"
        " SELECT gen_random_uuid(), i.id, e.order_id, 2, 1, 1 FROM exchange_indication i"
        " JOIN exchange_roundorder e ON e.round_id = i.round_id LIMIT 1",
    ),
    corruption("M1", "a card was handed back and still counts as sold", HANDED_BACK),
    corruption(
        "M11",
        "a card was handed back and is leased all the same",
        HANDED_BACK,
        one("exchange_lease", "quantity = quantity + 1"),
    ),
    corruption("M18", "a card was handed back and nothing is charged for it", HANDED_BACK),
    corruption(
        "M18",
        "a charge is for cards that were not handed back",
        HANDED_BACK,
        CHARGED.format(due=500_000, seconds=3_601),
    ),
    corruption("M18", "a return is charged at another share", HANDED_BACK, CHARGED.format(due=400_000, seconds=3_600)),
    corruption("M19", "a pause is credited at another share", PAUSED.format(credit=1)),
    corruption(
        "M19", "a charge is for cards that were not paused", PAUSED.format(credit="pause_credit_ppm"), PAUSE_CHARGED
    ),
    corruption(
        "M20",
        "a gate stands beside its calendar",
        one("exchange_round", "scheduled_at = scheduled_at + interval '1 s'"),
    ),
    corruption("M20", "a no-cancel phase began late", one("exchange_round", "locks_at = locks_at + interval '1 s'")),
    corruption(
        "M20",
        "a round may be published early",
        "UPDATE exchange_market m SET calendars = jsonb_build_array(jsonb_build_object("
        " 'effective_from', '2020-01-01T00:00:00+00:00', 'gate_interval_seconds', m.gate_interval_seconds,"
        " 'gate_offset_seconds', m.gate_offset_seconds, 'no_cancel_seconds', m.no_cancel_seconds,"
        " 'publish_after_seconds', 60, 'publish_seconds', 300, 'closed_days', '[]'::jsonb))",
    ),
    corruption(
        "M20",
        "a trade was made before its round was published",
        one("exchange_trade", "created_at = created_at - interval '1 day'", where="round_id IS NOT NULL"),
    ),
    corruption(
        "M20",
        "a gate stands on a day that is closed",
        "UPDATE exchange_market m SET calendars = jsonb_build_array(jsonb_build_object("
        " 'effective_from', '2020-01-01T00:00:00+00:00', 'gate_interval_seconds', m.gate_interval_seconds,"
        " 'gate_offset_seconds', m.gate_offset_seconds, 'no_cancel_seconds', m.no_cancel_seconds,"
        " 'publish_seconds', 300, 'closed_days',"
        " (SELECT jsonb_agg((r.scheduled_at AT TIME ZONE m.timezone)::date::text)"
        " FROM exchange_round r WHERE r.market_id = m.id)))",
    ),
)
