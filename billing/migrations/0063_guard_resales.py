"""Let what is sold back be what both contracts say, and within its run; keep it from changing."""

from typing import ClassVar

from django.db import migrations

from accounts.foundation import guards

# As before, with what was sold back among the claims on a run.
CHECK_CLAIMS = """
CREATE OR REPLACE FUNCTION check_contract_claims() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    run billing_contractslot;
    most bigint;
BEGIN
    PERFORM 1 FROM billing_contract WHERE id = NEW.contract_id FOR NO KEY UPDATE;
    SELECT * INTO run FROM billing_contractslot
        WHERE id = NEW.slot_id AND contract_id = NEW.contract_id
          AND starts_at <= NEW.starts_at AND NEW.ends_at <= ends_at
          AND (TG_TABLE_NAME <> 'billing_contractpause'
               OR pause_credit_ppm = (to_jsonb(NEW) ->> 'credit_ppm')::integer);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'what is paused is not what the contract says'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'contract_pause_of_its_run';
    END IF;
    WITH claim AS (
        SELECT starts_at, ends_at, quantity FROM billing_contractrelease WHERE slot_id = NEW.slot_id
        UNION ALL
        SELECT p.starts_at, coalesce(r.resumes_at, p.ends_at), p.quantity
        FROM billing_contractpause p LEFT JOIN billing_contractresumption r ON r.pause_id = p.id
        WHERE p.slot_id = NEW.slot_id
        UNION ALL
        SELECT starts_at, ends_at, quantity FROM billing_contractresale WHERE slot_id = NEW.slot_id
    ), edge AS (
        SELECT DISTINCT greatest(starts_at, NEW.starts_at) AS instant FROM claim
        WHERE starts_at < NEW.ends_at AND ends_at > NEW.starts_at
    )
    SELECT max(units) INTO most FROM (
        SELECT sum(claim.quantity) AS units
        FROM edge JOIN claim ON claim.starts_at <= edge.instant AND claim.ends_at > edge.instant
        GROUP BY edge.instant
    ) AS at_edges;
    IF most > run.quantity THEN
        RAISE EXCEPTION '% units of % would be handed back, sold back or paused', most, run.quantity
            USING ERRCODE = 'check_violation', CONSTRAINT = 'contract_claims_within_their_run';
    END IF;
    RETURN NULL;
END
$$;
"""
CHECK_CLAIMS_BEFORE = """
CREATE OR REPLACE FUNCTION check_contract_claims() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    run billing_contractslot;
    most bigint;
BEGIN
    PERFORM 1 FROM billing_contract WHERE id = NEW.contract_id FOR NO KEY UPDATE;
    SELECT * INTO run FROM billing_contractslot
        WHERE id = NEW.slot_id AND contract_id = NEW.contract_id
          AND starts_at <= NEW.starts_at AND NEW.ends_at <= ends_at
          AND (TG_TABLE_NAME <> 'billing_contractpause' OR pause_credit_ppm = NEW.credit_ppm);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'what is paused is not what the contract says'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'contract_pause_of_its_run';
    END IF;
    WITH claim AS (
        SELECT starts_at, ends_at, quantity FROM billing_contractrelease WHERE slot_id = NEW.slot_id
        UNION ALL
        SELECT p.starts_at, coalesce(r.resumes_at, p.ends_at), p.quantity
        FROM billing_contractpause p LEFT JOIN billing_contractresumption r ON r.pause_id = p.id
        WHERE p.slot_id = NEW.slot_id
    ), edge AS (
        SELECT DISTINCT greatest(starts_at, NEW.starts_at) AS instant FROM claim
        WHERE starts_at < NEW.ends_at AND ends_at > NEW.starts_at
    )
    SELECT max(units) INTO most FROM (
        SELECT sum(claim.quantity) AS units
        FROM edge JOIN claim ON claim.starts_at <= edge.instant AND claim.ends_at > edge.instant
        GROUP BY edge.instant
    ) AS at_edges;
    IF most > run.quantity THEN
        RAISE EXCEPTION '% units of % would be handed back or paused', most, run.quantity
            USING ERRCODE = 'check_violation', CONSTRAINT = 'contract_claims_within_their_run';
    END IF;
    RETURN NULL;
END
$$;
"""

CHECK_RESALES = """
CREATE FUNCTION check_contract_resale() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM billing_contractslot run
        JOIN billing_contractslot taken ON taken.id = NEW.sold_as_id
        JOIN billing_contract taker ON taker.id = taken.contract_id
        WHERE run.id = NEW.slot_id AND run.contract_id = NEW.contract_id AND taker.origin_id = NEW.contract_id
          AND run.offering_id = taken.offering_id AND run.resale_commission_ppm = NEW.commission_ppm
          AND run.starts_at <= NEW.starts_at AND NEW.ends_at <= run.ends_at
          AND (taken.starts_at, taken.ends_at, taken.quantity, taken.price_micros)
              = (NEW.starts_at, NEW.ends_at, NEW.quantity, NEW.price_micros)
          AND taken.provider_price_micros = coalesce(run.provider_price_micros, run.price_micros);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'what is sold back is not what both contracts say'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'contract_resale_of_both_runs';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER billing_contractresale_of_both_runs AFTER INSERT ON billing_contractresale
    FOR EACH ROW EXECUTE FUNCTION check_contract_resale();
CREATE TRIGGER billing_contractresale_within_its_run AFTER INSERT ON billing_contractresale
    FOR EACH ROW EXECUTE FUNCTION check_contract_claims();
"""
UNCHECK_RESALES = """
DROP TRIGGER billing_contractresale_within_its_run ON billing_contractresale;
DROP TRIGGER billing_contractresale_of_both_runs ON billing_contractresale;
DROP FUNCTION check_contract_resale();
"""


class Migration(migrations.Migration):
    """Triggers over resales and what stands beside them."""

    dependencies: ClassVar = [("billing", "0062_let_leases_be_sold_back")]

    operations: ClassVar = [
        migrations.RunSQL(CHECK_CLAIMS, CHECK_CLAIMS_BEFORE),
        migrations.RunSQL(CHECK_RESALES, UNCHECK_RESALES),
        guards.append_only("billing_contractresale"),
    ]
