"""Let a round hold one book and one outcome, a trade only what its round decided, a lease only what its contract says."""

from typing import ClassVar

from django.db import migrations

from accounts.foundation import guards
from exchange.auctions.rules import MOVES as ENTRY_MOVES
from exchange.leases.rules import MOVES as LEASE_MOVES
from exchange.rounds.rules import MOVES as ROUND_MOVES

# A round is gated with its book and cleared with its outcome, which is of that very book.
CHECK_ROUND = """
CREATE FUNCTION exchange_check_round() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status = 'gated' AND NOT EXISTS (SELECT FROM exchange_roundsnapshot WHERE round_id = NEW.id) THEN
        RAISE EXCEPTION 'round % is gated without a snapshot', NEW.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status = 'cleared' AND NOT EXISTS (SELECT FROM exchange_roundoutcome WHERE round_id = NEW.id) THEN
        RAISE EXCEPTION 'round % is cleared without an outcome', NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status = 'published'
        AND EXISTS (SELECT FROM exchange_roundorder WHERE round_id = NEW.id AND state = 'locked') THEN
        RAISE EXCEPTION 'round % is published before its orders are settled', NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER exchange_round_has_its_documents BEFORE UPDATE OF status ON exchange_round
    FOR EACH ROW EXECUTE FUNCTION exchange_check_round();

CREATE FUNCTION exchange_check_outcome() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM exchange_round r JOIN exchange_roundsnapshot s ON s.round_id = r.id
        WHERE r.id = NEW.round_id AND r.status = 'clearing' AND s.digest = NEW.snapshot_digest
          AND r.rules_version = NEW.rules_version;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the outcome is not of the book that round % is clearing', NEW.round_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER exchange_roundoutcome_of_its_book BEFORE INSERT ON exchange_roundoutcome
    FOR EACH ROW EXECUTE FUNCTION exchange_check_outcome();
"""
UNCHECK_ROUND = """
DROP TRIGGER exchange_roundoutcome_of_its_book ON exchange_roundoutcome;
DROP FUNCTION exchange_check_outcome();
DROP TRIGGER exchange_round_has_its_documents ON exchange_round;
DROP FUNCTION exchange_check_round();
"""

# A trade is written while its order is being settled in a cleared round, between the parties of its contract.
CHECK_TRADE = """
CREATE FUNCTION exchange_check_trade() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM exchange_round r
        JOIN exchange_roundorder e ON e.round_id = r.id AND e.order_id = NEW.order_id AND e.state = 'locked'
        WHERE r.id = NEW.round_id AND r.status = 'cleared' AND r.market_id = NEW.market_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'order % is not being settled in round %', NEW.order_id, NEW.round_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    PERFORM FROM exchange_order o, exchange_offer f, billing_contract c
        WHERE o.id = NEW.order_id AND f.id = NEW.offer_id AND c.id = NEW.contract_id
          AND (o.market_id, f.market_id) = (NEW.market_id, NEW.market_id)
          AND (o.buyer_id, f.provider_id) = (NEW.buyer_id, NEW.provider_id)
          AND (c.buyer_id, c.provider_id) = (NEW.buyer_id, NEW.provider_id)
          AND (o.currency, c.currency) = (NEW.currency, NEW.currency)
          AND c.project_id = o.project_id AND c.hold_id = o.hold_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'trade % does not agree with its order, offer and contract', NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.unit_hours <> NEW.quantity * extract(epoch FROM NEW.ends_at - NEW.starts_at) / 3600 THEN
        RAISE EXCEPTION 'trade % has % unit-hours', NEW.id, NEW.unit_hours
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER exchange_trade_agrees BEFORE INSERT ON exchange_trade
    FOR EACH ROW EXECUTE FUNCTION exchange_check_trade();
"""
UNCHECK_TRADE = """
DROP TRIGGER exchange_trade_agrees ON exchange_trade;
DROP FUNCTION exchange_check_trade();
"""

# At every instant a lease hands over exactly what its contract's schedule says for the offering.
CHECK_LEASE = """
CREATE FUNCTION exchange_check_lease() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM billing_contract c
        WHERE c.id = NEW.contract_id AND (c.buyer_id, c.provider_id) = (NEW.buyer_id, NEW.provider_id)
          AND c.starts_at <= NEW.starts_at AND NEW.ends_at <= c.ends_at;
    IF NOT FOUND OR EXISTS (
        SELECT FROM generate_series(NEW.starts_at, NEW.ends_at - interval '1 hour', interval '1 hour') AS hour
        WHERE NOT EXISTS (
            SELECT FROM billing_contractslot s
            WHERE s.contract_id = NEW.contract_id AND s.offering_id = NEW.offering_id
              AND s.starts_at <= hour AND hour < s.ends_at AND s.quantity = NEW.quantity
        )
    ) THEN
        RAISE EXCEPTION 'lease % is not what contract % says', NEW.id, NEW.contract_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER exchange_lease_agrees BEFORE INSERT OR UPDATE OF contract_id, offering_id, quantity, starts_at, ends_at,
    buyer_id, provider_id ON exchange_lease FOR EACH ROW EXECUTE FUNCTION exchange_check_lease();
"""
UNCHECK_LEASE = """
DROP TRIGGER exchange_lease_agrees ON exchange_lease;
DROP FUNCTION exchange_check_lease();
"""


class Migration(migrations.Migration):
    """Triggers over rounds, trades and leases."""

    dependencies: ClassVar = [("exchange", "0003_create_rounds_trades_and_leases")]

    operations: ClassVar = [
        guards.append_only(
            "exchange_roundsnapshot",
            "exchange_roundoutcome",
            "exchange_roundprice",
            "exchange_trade",
            "exchange_deliveredsegment",
        ),
        guards.moves("exchange_round", "status", ROUND_MOVES),
        guards.moves("exchange_roundorder", "state", ENTRY_MOVES),
        guards.moves("exchange_lease", "status", LEASE_MOVES),
        migrations.RunSQL(CHECK_ROUND, UNCHECK_ROUND),
        migrations.RunSQL(CHECK_TRADE, UNCHECK_TRADE),
        migrations.RunSQL(CHECK_LEASE, UNCHECK_LEASE),
    ]
