"""Let what is disputed follow a provider's balance and payouts, and give disputes that are open a hold of nothing."""

from typing import ClassVar

from django.db import migrations

ITEMS = """
CREATE OR REPLACE FUNCTION check_payout_item() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM billing_payout p JOIN billing_statementrelease r ON r.id = NEW.release_id
        LEFT JOIN billing_disputehold h ON h.id = NEW.hold_id AND h.release_id = r.id
        WHERE p.id = NEW.payout_id AND p.status = 'accruing'
            AND r.organisation_id = p.organisation_id AND r.currency = p.currency
            AND NEW.amount_minor = CASE NEW.part WHEN 'release' THEN r.amount_minor - r.reserve_minor
                WHEN 'reserve' THEN r.reserve_minor WHEN 'held' THEN -h.amount_minor ELSE h.amount_minor END;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'payout % does not take in this item', NEW.payout_id
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'payout_item_fits';
    END IF;
    RETURN NEW;
END
$$;
"""
ITEMS_BEFORE = """
CREATE OR REPLACE FUNCTION check_payout_item() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM billing_payout p JOIN billing_statementrelease r ON r.id = NEW.release_id
        WHERE p.id = NEW.payout_id AND p.status = 'accruing'
            AND r.organisation_id = p.organisation_id AND r.currency = p.currency
            AND NEW.amount_minor = CASE NEW.part WHEN 'release' THEN r.amount_minor - r.reserve_minor
                ELSE r.reserve_minor END;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'payout % does not take in this item', NEW.payout_id
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'payout_item_fits';
    END IF;
    RETURN NEW;
END
$$;
"""

HOLDS = """
CREATE FUNCTION apply_dispute_hold() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    freed bigint := 0;
BEGIN
    IF OLD.held_at IS NULL AND NEW.held_at IS NOT NULL THEN
        freed := -NEW.amount_minor;
    END IF;
    IF OLD.lifted_at IS NULL AND NEW.lifted_at IS NOT NULL AND NEW.held_at IS NOT NULL THEN
        freed := freed + NEW.amount_minor;
    END IF;
    IF freed <> 0 THEN
        UPDATE billing_providerbalance b SET
            released_minor = released_minor + freed,
            shortfall_minor = greatest(0, committed_minor - released_minor - freed)
            FROM billing_statementrelease r
            WHERE r.id = NEW.release_id AND b.organisation_id = r.organisation_id AND b.currency = r.currency;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the provider of hold % has no balance', NEW.id
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'dispute_hold_has_its_balance';
        END IF;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER billing_disputehold_apply AFTER UPDATE ON billing_disputehold
    FOR EACH ROW EXECUTE FUNCTION apply_dispute_hold();
CREATE FUNCTION check_dispute_hold_starts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'hold % must start by waiting', NEW.id
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'dispute_hold_starts_waiting';
END
$$;
CREATE TRIGGER billing_disputehold_starts_waiting BEFORE INSERT ON billing_disputehold FOR EACH ROW
    WHEN (NEW.held_at IS NOT NULL OR NEW.lifted_at IS NOT NULL) EXECUTE FUNCTION check_dispute_hold_starts();
CREATE TRIGGER billing_disputehold_keeps_its_terms BEFORE UPDATE ON billing_disputehold FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('held_at', 'transaction_id', 'lifted_at', 'lift_transaction_id');
CREATE TRIGGER billing_disputehold_is_held_once BEFORE UPDATE ON billing_disputehold FOR EACH ROW
    WHEN (OLD.lifted_at IS NOT NULL OR OLD.held_at IS NOT NULL AND (NEW.held_at, NEW.transaction_id)
        IS DISTINCT FROM (OLD.held_at, OLD.transaction_id)) EXECUTE FUNCTION forbid_change();
CREATE TRIGGER billing_disputehold_stays BEFORE DELETE ON billing_disputehold
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
"""
DROP_HOLDS = """
DROP TRIGGER billing_disputehold_stays ON billing_disputehold;
DROP TRIGGER billing_disputehold_is_held_once ON billing_disputehold;
DROP TRIGGER billing_disputehold_keeps_its_terms ON billing_disputehold;
DROP TRIGGER billing_disputehold_starts_waiting ON billing_disputehold;
DROP FUNCTION check_dispute_hold_starts();
DROP TRIGGER billing_disputehold_apply ON billing_disputehold;
DROP FUNCTION apply_dispute_hold();
"""

# What was opened before there were holds was never held; it is resolved like any other.
OPEN_DISPUTES = """
INSERT INTO billing_disputehold (id, release_id, dispute_id, amount_minor, created_at)
SELECT gen_random_uuid(), r.id, d.id, 0, d.opened_at
FROM billing_invoicedispute d JOIN billing_invoice i ON i.id = d.invoice_id
JOIN billing_invoice s ON s.contract_id = i.contract_id AND s.kind = 'provider_statement' AND s.status <> 'draft'
JOIN billing_statementrelease r ON r.statement_id = s.id
WHERE d.resolved_at IS NULL;
"""


class Migration(migrations.Migration):
    """Triggers over holds of disputes."""

    dependencies: ClassVar = [("billing", "0055_hold_what_is_disputed")]

    operations: ClassVar = [
        migrations.RunSQL(ITEMS, ITEMS_BEFORE),
        migrations.RunSQL(OPEN_DISPUTES, migrations.RunSQL.noop),
        migrations.RunSQL(HOLDS, DROP_HOLDS),
    ]
