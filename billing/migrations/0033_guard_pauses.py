"""Let no more be paused or handed back of a contract than it says, and keep pauses from changing."""

from typing import ClassVar

from django.db import migrations

from accounts.foundation import guards

# The contract's row is locked: claims on one run wait for each other and see each other.
CHECK_CLAIMS = """
CREATE FUNCTION check_contract_claims() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER billing_contractpause_within_its_run AFTER INSERT ON billing_contractpause
    FOR EACH ROW EXECUTE FUNCTION check_contract_claims();
CREATE TRIGGER billing_contractrelease_within_its_run AFTER INSERT ON billing_contractrelease
    FOR EACH ROW EXECUTE FUNCTION check_contract_claims();
CREATE FUNCTION check_contract_resumption() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM billing_contractpause
        WHERE id = NEW.pause_id AND starts_at <= NEW.resumes_at AND NEW.resumes_at < ends_at;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a pause is not paused at %', NEW.resumes_at
            USING ERRCODE = 'check_violation', CONSTRAINT = 'contract_resumption_inside_its_pause';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER billing_contractresumption_inside_its_pause AFTER INSERT ON billing_contractresumption
    FOR EACH ROW EXECUTE FUNCTION check_contract_resumption();
"""
UNCHECK_CLAIMS = """
DROP TRIGGER billing_contractresumption_inside_its_pause ON billing_contractresumption;
DROP TRIGGER billing_contractrelease_within_its_run ON billing_contractrelease;
DROP TRIGGER billing_contractpause_within_its_run ON billing_contractpause;
DROP FUNCTION check_contract_resumption();
DROP FUNCTION check_contract_claims();
"""


class Migration(migrations.Migration):
    """Triggers over pauses and what stands beside them."""

    dependencies: ClassVar = [("billing", "0032_let_leases_be_paused")]

    operations: ClassVar = [
        migrations.RunSQL(CHECK_CLAIMS, UNCHECK_CLAIMS),
        guards.append_only("billing_contractpause", "billing_contractresumption"),
    ]
