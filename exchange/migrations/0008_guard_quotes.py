"""Let a quote keep what it says and stay within its market's limits, and a trade be what its round or quote decided."""

from typing import ClassVar

from django.db import migrations

from accounts.foundation import guards
from exchange.quotes.rules import MOVES

# As the services count them: an expired quote that nobody has swept yet is not held against its buyer.
CHECK_QUOTE = """
CREATE FUNCTION exchange_check_quote() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM exchange_market m JOIN accounts_project p ON p.id = NEW.project_id
        WHERE m.id = NEW.market_id AND m.currency = NEW.currency AND p.organisation_id = NEW.buyer_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'quote % differs from its market or project in currency or owner', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'exchange_quote_owns_its_project';
    END IF;
    PERFORM FROM exchange_market m, (
            SELECT count(*) AS quotes, coalesce(sum(q.unit_hours), 0) AS unit_hours FROM exchange_quote q
            WHERE q.buyer_id = NEW.buyer_id AND q.market_id = NEW.market_id AND q.status = 'open'
              AND q.expires_at > NEW.created_at
        ) AS held
        WHERE m.id = NEW.market_id AND held.quotes < m.quotes_at_once
          AND held.unit_hours + NEW.unit_hours <= m.quoted_unit_hours_at_most;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'quote % is more than its buyer may have held at a time', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'exchange_quote_within_limits';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER exchange_quote_within_limits BEFORE INSERT ON exchange_quote
    FOR EACH ROW EXECUTE FUNCTION exchange_check_quote();

CREATE FUNCTION exchange_quote_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (to_jsonb(OLD) - ARRAY['status', 'hold_id', 'closed_at'])
        <> (to_jsonb(NEW) - ARRAY['status', 'hold_id', 'closed_at']) THEN
        RAISE EXCEPTION 'quote % is firm', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.hold_id IS DISTINCT FROM OLD.hold_id AND NOT EXISTS (
        SELECT FROM billing_hold h WHERE h.id = NEW.hold_id AND h.organisation_id = NEW.buyer_id
            AND h.project_id = NEW.project_id AND h.currency = NEW.currency
            AND h.amount_minor = NEW.value_minor + NEW.fee_minor + NEW.tax_minor
    ) THEN
        RAISE EXCEPTION 'quote % is not accepted with a hold of its price', NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER exchange_quote_stays BEFORE UPDATE OR DELETE ON exchange_quote
    FOR EACH ROW EXECUTE FUNCTION exchange_quote_stays();
"""
UNCHECK_QUOTE = """
DROP TRIGGER exchange_quote_stays ON exchange_quote;
DROP FUNCTION exchange_quote_stays();
DROP TRIGGER exchange_quote_within_limits ON exchange_quote;
DROP FUNCTION exchange_check_quote();
"""

AGREES_WITH_ORDER = """
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
"""
# A trade is a line of its accepted quote, at the price of the line's part; the unique key lets no line trade twice.
AGREES_WITH_QUOTE = """
    PERFORM FROM exchange_quote q
        JOIN exchange_quotepart p ON p.quote_id = q.id AND p.offer_id = NEW.offer_id
        JOIN exchange_quoteline l ON l.part_id = p.id AND l.starts_at = NEW.starts_at
        JOIN exchange_offer f ON f.id = p.offer_id JOIN billing_contract c ON c.id = NEW.contract_id
        WHERE q.id = NEW.quote_id AND q.status = 'accepted' AND (l.ends_at, l.quantity) = (NEW.ends_at, NEW.quantity)
          AND (p.price_micros, p.reserve_micros) = (NEW.price_micros, NEW.offer_reserve_micros)
          AND (q.market_id, f.market_id) = (NEW.market_id, NEW.market_id)
          AND (q.buyer_id, f.provider_id) = (NEW.buyer_id, NEW.provider_id)
          AND (c.buyer_id, c.provider_id) = (NEW.buyer_id, NEW.provider_id)
          AND (q.currency, c.currency) = (NEW.currency, NEW.currency)
          AND c.project_id = q.project_id AND c.hold_id = q.hold_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'trade % does not agree with its quote, offer and contract', NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
"""
CHECK_TRADE = """
CREATE OR REPLACE FUNCTION exchange_check_trade() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
{agrees}
    IF NEW.unit_hours <> NEW.quantity * extract(epoch FROM NEW.ends_at - NEW.starts_at) / 3600 THEN
        RAISE EXCEPTION 'trade % has % unit-hours', NEW.id, NEW.unit_hours
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
"""
EITHER = f"IF NEW.quote_id IS NULL THEN {AGREES_WITH_ORDER} ELSE {AGREES_WITH_QUOTE} END IF;"


class Migration(migrations.Migration):
    """Triggers over quotes, and over trades of either kind."""

    dependencies: ClassVar = [("exchange", "0007_add_quotes")]

    operations: ClassVar = [
        guards.append_only("exchange_quotepart", "exchange_quoteline"),
        guards.moves("exchange_quote", "status", MOVES),
        migrations.RunSQL(CHECK_QUOTE, UNCHECK_QUOTE),
        migrations.RunSQL(CHECK_TRADE.replace("{agrees}", EITHER), CHECK_TRADE.replace("{agrees}", AGREES_WITH_ORDER)),
    ]
