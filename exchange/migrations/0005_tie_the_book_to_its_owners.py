"""Keep an order, its hold and its project, and an offer and its offering, in the hands of one organisation."""

from typing import ClassVar

from django.db import migrations

# What a foreign key by id alone lets through: somebody else's hold, project or offering.
TIE_OWNERS = """
CREATE FUNCTION exchange_order_owns_its_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM billing_hold h JOIN accounts_project p ON p.id = NEW.project_id
        JOIN exchange_market m ON m.id = NEW.market_id
        WHERE h.id = NEW.hold_id AND h.organisation_id = NEW.buyer_id AND h.currency = NEW.currency
          AND h.project_id = NEW.project_id AND p.organisation_id = NEW.buyer_id AND m.currency = NEW.currency
    ) THEN
        RAISE EXCEPTION 'order % differs from its hold, project or market in owner or currency', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'exchange_order_owns_its_hold';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER exchange_order_owns_its_hold
    BEFORE INSERT OR UPDATE OF buyer_id, project_id, hold_id, market_id, currency ON exchange_order
    FOR EACH ROW EXECUTE FUNCTION exchange_order_owns_its_hold();

CREATE FUNCTION exchange_offer_owns_its_offering() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM catalog_offering o WHERE o.id = NEW.offering_id AND o.provider_id = NEW.provider_id)
    THEN
        RAISE EXCEPTION 'offer % is of another provider''s offering', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'exchange_offer_owns_its_offering';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER exchange_offer_owns_its_offering BEFORE INSERT OR UPDATE OF provider_id, offering_id ON exchange_offer
    FOR EACH ROW EXECUTE FUNCTION exchange_offer_owns_its_offering();
"""
UNTIE_OWNERS = """
DROP TRIGGER exchange_offer_owns_its_offering ON exchange_offer;
DROP FUNCTION exchange_offer_owns_its_offering();
DROP TRIGGER exchange_order_owns_its_hold ON exchange_order;
DROP FUNCTION exchange_order_owns_its_hold();
"""


class Migration(migrations.Migration):
    """Triggers over orders and offers."""

    dependencies: ClassVar = [
        ("accounts", "0002_guard_tables"),
        ("billing", "0002_guard_the_books"),
        ("catalog", "0003_guard_tables"),
        ("exchange", "0004_guard_rounds_trades_and_leases"),
    ]

    operations: ClassVar = [migrations.RunSQL(TIE_OWNERS, UNTIE_OWNERS)]
