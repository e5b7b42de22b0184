"""Keep what was freed and what was committed in one balance, and payouts what their items and two people say."""

from typing import ClassVar

from django.db import migrations

from accounts.foundation import guards
from billing.payouts.rules import PAYOUT_MOVES

# The sums of a provider move only with releases and payouts; the balance's own check refuses what is too much.
BALANCES = """
CREATE FUNCTION guard_provider_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF (NEW.released_minor, NEW.committed_minor, NEW.shortfall_minor) <> (0, 0, 0) THEN
            RAISE EXCEPTION 'the balance of provider % must start empty', NEW.organisation_id
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'provider_balance_starts_empty';
        END IF;
    ELSIF pg_trigger_depth() = 1 THEN
        RAISE EXCEPTION 'the balance of provider % follows releases and payouts', NEW.organisation_id
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'provider_balance_follows';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER billing_providerbalance_guard BEFORE INSERT OR UPDATE ON billing_providerbalance
    FOR EACH ROW EXECUTE FUNCTION guard_provider_balance();
CREATE TRIGGER billing_providerbalance_stays BEFORE DELETE ON billing_providerbalance
    FOR EACH ROW EXECUTE FUNCTION forbid_change();

CREATE FUNCTION apply_release() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    freed bigint := 0;
BEGIN
    IF OLD.released_at IS NULL AND NEW.released_at IS NOT NULL THEN
        freed := NEW.amount_minor - NEW.reserve_minor;
    END IF;
    IF OLD.reserve_released_at IS NULL AND NEW.reserve_released_at IS NOT NULL THEN
        freed := freed + NEW.reserve_minor;
    END IF;
    IF freed <> 0 THEN
        UPDATE billing_providerbalance SET
            released_minor = released_minor + freed,
            shortfall_minor = greatest(0, committed_minor - released_minor - freed)
            WHERE organisation_id = NEW.organisation_id AND currency = NEW.currency;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'provider % has no balance', NEW.organisation_id
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'release_has_its_balance';
        END IF;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER billing_statementrelease_apply AFTER UPDATE ON billing_statementrelease
    FOR EACH ROW EXECUTE FUNCTION apply_release();
CREATE TRIGGER billing_statementrelease_keeps_its_terms BEFORE UPDATE ON billing_statementrelease FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('released_at', 'transaction_id', 'reserve_minor', 'reserve_due_at',
        'reserve_released_at', 'reserve_transaction_id');
CREATE TRIGGER billing_statementrelease_stays BEFORE DELETE ON billing_statementrelease
    FOR EACH ROW EXECUTE FUNCTION forbid_change();

CREATE FUNCTION apply_payout() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    taken bigint := 0;
BEGIN
    IF NEW.status = 'approved' THEN
        taken := NEW.amount_minor;
    ELSIF NEW.status = 'failed' THEN
        taken := -NEW.amount_minor;
    END IF;
    IF taken <> 0 THEN
        UPDATE billing_providerbalance SET
            committed_minor = committed_minor + taken,
            -- A payout never makes a shortfall; one that fails lessens it.
            shortfall_minor = least(shortfall_minor, greatest(0, committed_minor + taken - released_minor))
            WHERE organisation_id = NEW.organisation_id AND currency = NEW.currency;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'provider % has no balance', NEW.organisation_id
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'payout_has_its_balance';
        END IF;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER billing_payout_apply AFTER UPDATE OF status ON billing_payout
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION apply_payout();
"""
DROP_BALANCES = """
DROP TRIGGER billing_payout_apply ON billing_payout;
DROP FUNCTION apply_payout();
DROP TRIGGER billing_statementrelease_stays ON billing_statementrelease;
DROP TRIGGER billing_statementrelease_keeps_its_terms ON billing_statementrelease;
DROP TRIGGER billing_statementrelease_apply ON billing_statementrelease;
DROP FUNCTION apply_release();
DROP TRIGGER billing_providerbalance_stays ON billing_providerbalance;
DROP TRIGGER billing_providerbalance_guard ON billing_providerbalance;
DROP FUNCTION guard_provider_balance();
"""

PAYOUTS = """
ALTER TABLE billing_payout ADD CONSTRAINT payout_to_its_owners_account
    FOREIGN KEY (destination_id, organisation_id, destination_changed_at)
    REFERENCES billing_payoutdestination (id, organisation_id, created_at);

CREATE FUNCTION check_payout_amount() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    listed bigint;
BEGIN
    SELECT coalesce(sum(amount_minor), 0) INTO listed FROM billing_payoutitem
        WHERE payout_id = NEW.id AND given_on_at IS NULL;
    IF listed <> NEW.amount_minor THEN
        RAISE EXCEPTION 'payout % is of %, its items sum to %', NEW.id, NEW.amount_minor, listed
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'payout_is_its_items';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER billing_payout_is_its_items BEFORE UPDATE OF status ON billing_payout
    FOR EACH ROW WHEN (NEW.status = 'due') EXECUTE FUNCTION check_payout_amount();
CREATE FUNCTION check_payout_starts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'payout % must start by accruing', NEW.id
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'payout_starts_accruing';
END
$$;
CREATE TRIGGER billing_payout_starts_accruing BEFORE INSERT ON billing_payout
    FOR EACH ROW WHEN (NEW.status <> 'accruing') EXECUTE FUNCTION check_payout_starts();
CREATE TRIGGER billing_payout_keeps_its_amount BEFORE UPDATE ON billing_payout
    FOR EACH ROW WHEN (OLD.status <> 'accruing') EXECUTE FUNCTION forbid_change_except('status', 'first_approved_by_id',
        'approved_by_id', 'approved_at', 'method', 'destination_id', 'destination_changed_at', 'file_id', 'sent_at',
        'sent_by_id', 'bank_reference', 'ended_at', 'failure');
CREATE TRIGGER billing_payout_stays BEFORE DELETE ON billing_payout
    FOR EACH ROW EXECUTE FUNCTION forbid_change();

CREATE FUNCTION check_payout_item() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER billing_payoutitem_fits BEFORE INSERT ON billing_payoutitem
    FOR EACH ROW EXECUTE FUNCTION check_payout_item();
CREATE FUNCTION check_item_given_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM billing_payout WHERE id = OLD.payout_id AND status = 'failed';
    IF NOT FOUND OR OLD.given_on_at IS NOT NULL THEN
        RAISE EXCEPTION 'only items of a failed payout are given on, once'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'payout_item_given_on_once';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER billing_payoutitem_given_on BEFORE UPDATE ON billing_payoutitem
    FOR EACH ROW EXECUTE FUNCTION check_item_given_on();
CREATE TRIGGER billing_payoutitem_keeps_its_terms BEFORE UPDATE ON billing_payoutitem
    FOR EACH ROW EXECUTE FUNCTION forbid_change_except('given_on_at');
CREATE TRIGGER billing_payoutitem_stays BEFORE DELETE ON billing_payoutitem
    FOR EACH ROW EXECUTE FUNCTION forbid_change();

CREATE TRIGGER billing_payoutdestination_keeps_its_terms BEFORE UPDATE ON billing_payoutdestination
    FOR EACH ROW EXECUTE FUNCTION forbid_change_except('replaced_at');
CREATE TRIGGER billing_payoutdestination_is_replaced_once BEFORE UPDATE ON billing_payoutdestination
    FOR EACH ROW WHEN (OLD.replaced_at IS NOT NULL) EXECUTE FUNCTION forbid_change();
CREATE TRIGGER billing_payoutdestination_stays BEFORE DELETE ON billing_payoutdestination
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
"""
DROP_PAYOUTS = """
DROP TRIGGER billing_payoutdestination_stays ON billing_payoutdestination;
DROP TRIGGER billing_payoutdestination_is_replaced_once ON billing_payoutdestination;
DROP TRIGGER billing_payoutdestination_keeps_its_terms ON billing_payoutdestination;
DROP TRIGGER billing_payoutitem_stays ON billing_payoutitem;
DROP TRIGGER billing_payoutitem_keeps_its_terms ON billing_payoutitem;
DROP TRIGGER billing_payoutitem_given_on ON billing_payoutitem;
DROP FUNCTION check_item_given_on();
DROP TRIGGER billing_payoutitem_fits ON billing_payoutitem;
DROP FUNCTION check_payout_item();
DROP TRIGGER billing_payout_stays ON billing_payout;
DROP TRIGGER billing_payout_keeps_its_amount ON billing_payout;
DROP TRIGGER billing_payout_starts_accruing ON billing_payout;
DROP FUNCTION check_payout_starts();
DROP TRIGGER billing_payout_is_its_items ON billing_payout;
DROP FUNCTION check_payout_amount();
ALTER TABLE billing_payout DROP CONSTRAINT payout_to_its_owners_account;
"""


class Migration(migrations.Migration):
    """Triggers over the tables of payouts."""

    dependencies: ClassVar = [("billing", "0010_create_payouts"), ("accounts", "0002_guard_tables")]

    operations: ClassVar = [
        migrations.RunSQL(BALANCES, DROP_BALANCES),
        migrations.RunSQL(PAYOUTS, DROP_PAYOUTS),
        guards.moves("billing_payout", "status", PAYOUT_MOVES),
        guards.append_only("billing_payoutpolicy", "billing_transferfile"),
    ]
