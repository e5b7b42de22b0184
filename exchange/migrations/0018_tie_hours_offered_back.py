"""Keep an offer of hours that are sold back with the contract that they are owed under."""

from typing import ClassVar

from django.db import migrations

# What an offer is sold back from never changes; its provider delivers under either contract.
TIE = """
CREATE FUNCTION exchange_offer_of_its_origin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.origin_id IS DISTINCT FROM OLD.origin_id OR NOT EXISTS (
        SELECT 1 FROM billing_contract c JOIN billing_contractslot s ON s.contract_id = c.id
        JOIN exchange_market m ON m.id = NEW.market_id
        WHERE c.id = NEW.origin_id AND c.provider_id = NEW.provider_id AND s.offering_id = NEW.offering_id
          AND c.market_code = m.code AND c.starts_at <= NEW.starts_at AND NEW.ends_at <= c.ends_at
    ) THEN
        RAISE EXCEPTION 'offer % is not of hours of the contract it is sold back from', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'exchange_offer_of_its_origin';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER exchange_offer_of_its_origin BEFORE INSERT ON exchange_offer
    FOR EACH ROW WHEN (NEW.origin_id IS NOT NULL) EXECUTE FUNCTION exchange_offer_of_its_origin();
CREATE TRIGGER exchange_offer_keeps_its_origin
    BEFORE UPDATE OF origin_id, market_id, provider_id, offering_id, starts_at, ends_at ON exchange_offer
    FOR EACH ROW WHEN (NEW.origin_id IS NOT NULL OR OLD.origin_id IS NOT NULL)
    EXECUTE FUNCTION exchange_offer_of_its_origin();
"""
UNTIE = """
DROP TRIGGER exchange_offer_keeps_its_origin ON exchange_offer;
DROP TRIGGER exchange_offer_of_its_origin ON exchange_offer;
DROP FUNCTION exchange_offer_of_its_origin();
"""


class Migration(migrations.Migration):
    """Triggers over offers."""

    dependencies: ClassVar = [("exchange", "0017_offer_hours_back")]

    operations: ClassVar = [migrations.RunSQL(TIE, UNTIE)]
