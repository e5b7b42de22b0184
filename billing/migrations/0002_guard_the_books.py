"""Keep the books sound whoever writes: balances follow entries, transactions are zero-sum, holds add up."""

from typing import ClassVar

from django.db import migrations

from accounts.foundation import guards
from billing.payments.rules import RECEIPT_MOVES, TOP_UP_MOVES

# An entry, a hold and their account agree on currency and owner.
SAME_CURRENCY = """
ALTER TABLE billing_ledgerentry ADD CONSTRAINT entry_in_its_accounts_currency
    FOREIGN KEY (account_id, currency) REFERENCES billing_account (id, currency);
ALTER TABLE billing_hold ADD CONSTRAINT hold_on_its_owners_wallet
    FOREIGN KEY (account_id, organisation_id, currency) REFERENCES billing_account (id, organisation_id, currency);
"""
DROP_SAME_CURRENCY = """
ALTER TABLE billing_hold DROP CONSTRAINT hold_on_its_owners_wallet;
ALTER TABLE billing_ledgerentry DROP CONSTRAINT entry_in_its_accounts_currency;
"""

# Which database transaction made a ledger transaction. The column is the guards' own: no
# application code reads or writes it, and a value that is given is overwritten.
CREATED_IN = """
ALTER TABLE billing_ledgertransaction ADD COLUMN created_in xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE FUNCTION stamp_ledger_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.created_in := pg_current_xact_id();
    RETURN NEW;
END
$$;
CREATE TRIGGER billing_ledgertransaction_stamp BEFORE INSERT ON billing_ledgertransaction
    FOR EACH ROW EXECUTE FUNCTION stamp_ledger_transaction();
"""
DROP_CREATED_IN = """
DROP TRIGGER billing_ledgertransaction_stamp ON billing_ledgertransaction;
DROP FUNCTION stamp_ledger_transaction();
ALTER TABLE billing_ledgertransaction DROP COLUMN created_in;
"""

# An entry is written together with its transaction or never, and takes its account's next place.
# What it does to the balance is checked by the account's own constraints.
APPLY_ENTRY = """
CREATE FUNCTION apply_ledger_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM billing_ledgertransaction
        WHERE id = NEW.transaction_id AND created_in = pg_current_xact_id();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'ledger transaction % was not made in this database transaction', NEW.transaction_id
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'entry_with_its_transaction';
    END IF;
    UPDATE billing_account SET
        balance_minor = balance_minor + NEW.amount_minor,
        entry_count = entry_count + 1,
        overdraft_minor = least(
            overdraft_minor, greatest(0, balance_minor + NEW.amount_minor + held_minor - credit_limit_minor))
        WHERE id = NEW.account_id
        RETURNING entry_count, balance_minor INTO NEW.account_n, NEW.balance_after_minor;
    RETURN NEW;
END
$$;
CREATE TRIGGER billing_ledgerentry_apply BEFORE INSERT ON billing_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION apply_ledger_entry();
"""
DROP_APPLY_ENTRY = """
DROP TRIGGER billing_ledgerentry_apply ON billing_ledgerentry;
DROP FUNCTION apply_ledger_entry();
"""

# Looked at as the database transaction commits. Both the transaction and each entry ask, so that
# neither an empty transaction nor an entry added after an early check gets past.
CHECK_TRANSACTION = """
CREATE FUNCTION check_ledger_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked uuid;
    original uuid;
    entries bigint;
    unbalanced text;
BEGIN
    IF TG_TABLE_NAME = 'billing_ledgertransaction' THEN
        checked := NEW.id;
    ELSE
        checked := NEW.transaction_id;
    END IF;
    SELECT sum(n), string_agg(format('%s by %s', currency, total), ', ') FILTER (WHERE total <> 0)
        INTO entries, unbalanced
        FROM (SELECT currency, count(*) AS n, sum(amount_minor) AS total
              FROM billing_ledgerentry WHERE transaction_id = checked GROUP BY currency) AS sums;
    IF coalesce(entries, 0) < 2 THEN
        RAISE EXCEPTION 'ledger transaction % has % entries; expected two or more', checked, coalesce(entries, 0)
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'transaction_has_two_sides';
    END IF;
    IF unbalanced IS NOT NULL THEN
        RAISE EXCEPTION 'ledger transaction % is out of balance in %', checked, unbalanced
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'transaction_sums_to_zero';
    END IF;
    SELECT reversal_of_id INTO original FROM billing_ledgertransaction WHERE id = checked;
    IF original IS NOT NULL AND (
        EXISTS (SELECT 1 FROM billing_ledgertransaction WHERE id = original AND reversal_of_id IS NOT NULL)
        OR EXISTS (
            SELECT account_id, sum(amount_minor) FROM billing_ledgerentry
            WHERE transaction_id IN (checked, original) GROUP BY account_id HAVING sum(amount_minor) <> 0)
    ) THEN
        RAISE EXCEPTION 'ledger transaction % is not the exact opposite of %', checked, original
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'reversal_is_exact';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER billing_ledgertransaction_check AFTER INSERT ON billing_ledgertransaction
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_ledger_transaction();
CREATE CONSTRAINT TRIGGER billing_ledgerentry_check AFTER INSERT ON billing_ledgerentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_ledger_transaction();
"""
DROP_CHECK_TRANSACTION = """
DROP TRIGGER billing_ledgerentry_check ON billing_ledgerentry;
DROP TRIGGER billing_ledgertransaction_check ON billing_ledgertransaction;
DROP FUNCTION check_ledger_transaction();
"""

# Sums move only inside the triggers of the rows they summarise, and an overdraft rises only by an
# invoice of this same database transaction. pg_trigger_depth() is 1 for a statement of the application.
GUARD_ACCOUNT = """
CREATE FUNCTION guard_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF (NEW.balance_minor, NEW.entry_count, NEW.held_minor, NEW.overdraft_minor) <> (0, 0, 0, 0) THEN
            RAISE EXCEPTION 'account % must be opened empty', NEW.id
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'account_opens_empty';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.code, NEW.currency, NEW.shard, NEW.kind, NEW.opened_at)
        <> (OLD.id, OLD.code, OLD.currency, OLD.shard, OLD.kind, OLD.opened_at)
        OR NEW.organisation_id IS DISTINCT FROM OLD.organisation_id THEN
        RAISE EXCEPTION 'account % cannot become another account', OLD.id
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'account_stays_itself';
    END IF;
    IF pg_trigger_depth() = 1
        AND (NEW.balance_minor, NEW.entry_count, NEW.held_minor)
            <> (OLD.balance_minor, OLD.entry_count, OLD.held_minor) THEN
        RAISE EXCEPTION 'the sums of account % move only with entries and holds', OLD.id
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'account_sums_follow_entries';
    END IF;
    IF NEW.overdraft_minor > OLD.overdraft_minor AND NOT EXISTS (
        SELECT 1 FROM billing_ledgertransaction
        WHERE id = NEW.overdraft_by_id AND source_type = 'invoice' AND created_in = pg_current_xact_id()
    ) THEN
        RAISE EXCEPTION 'the overdraft of account % rises only by an invoice', OLD.id
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'overdraft_only_by_invoice';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER billing_account_guard BEFORE INSERT OR UPDATE ON billing_account
    FOR EACH ROW EXECUTE FUNCTION guard_account();
CREATE TRIGGER billing_account_no_delete BEFORE DELETE ON billing_account
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER billing_account_no_truncate BEFORE TRUNCATE ON billing_account
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();
"""
DROP_GUARD_ACCOUNT = """
DROP TRIGGER billing_account_no_truncate ON billing_account;
DROP TRIGGER billing_account_no_delete ON billing_account;
DROP TRIGGER billing_account_guard ON billing_account;
DROP FUNCTION guard_account();
"""

# A hold starts empty and changes only by its events, which move its wallet's held sum with it. What is
# given back lowers an overdraft; what is captured is spent by an entry at once and must not.
GUARD_HOLD = """
CREATE FUNCTION guard_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.event_count <> 0 THEN
            RAISE EXCEPTION 'hold % must start without events', NEW.id
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'hold_starts_empty';
        END IF;
        PERFORM 1 FROM accounts_project WHERE id = NEW.project_id AND organisation_id = NEW.organisation_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'project % is not of the organisation of hold %', NEW.project_id, NEW.id
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'hold_on_its_owners_project';
        END IF;
        RETURN NEW;
    END IF;
    IF pg_trigger_depth() = 1 THEN
        RAISE EXCEPTION 'hold % changes only by its events', OLD.id
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'hold_follows_its_events';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER billing_hold_guard BEFORE INSERT OR UPDATE ON billing_hold
    FOR EACH ROW EXECUTE FUNCTION guard_hold();
CREATE TRIGGER billing_hold_no_delete BEFORE DELETE ON billing_hold
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER billing_hold_no_truncate BEFORE TRUNCATE ON billing_hold
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

CREATE FUNCTION apply_hold_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before billing_hold;
    growth bigint;
BEGIN
    SELECT * INTO before FROM billing_hold WHERE id = NEW.hold_id FOR NO KEY UPDATE;
    IF (before.event_count = 0) <> (NEW.kind = 'placed') OR before.closed_at IS NOT NULL THEN
        RAISE EXCEPTION 'hold % has % events and cannot be %', NEW.hold_id, before.event_count, NEW.kind
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'hold_ends_once';
    END IF;
    IF NEW.kind = 'released' AND NEW.amount_minor <> before.amount_minor THEN
        RAISE EXCEPTION 'a release of hold % gives back all of it', NEW.hold_id
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'hold_release_is_whole';
    END IF;
    growth := CASE WHEN NEW.kind IN ('placed', 'grown') THEN NEW.amount_minor ELSE -NEW.amount_minor END;
    NEW.n := before.event_count + 1;
    UPDATE billing_hold SET
        amount_minor = amount_minor + growth,
        original_minor = original_minor + CASE NEW.kind WHEN 'placed' THEN NEW.amount_minor ELSE 0 END,
        grown_minor = grown_minor + CASE NEW.kind WHEN 'grown' THEN NEW.amount_minor ELSE 0 END,
        captured_minor = captured_minor + CASE NEW.kind WHEN 'captured' THEN NEW.amount_minor ELSE 0 END,
        released_minor = released_minor
            + CASE WHEN NEW.kind IN ('shrunk', 'released') THEN NEW.amount_minor ELSE 0 END,
        event_count = NEW.n,
        closed_at = CASE WHEN amount_minor + growth = 0 THEN NEW.at END
        WHERE id = NEW.hold_id;
    UPDATE billing_account SET
        held_minor = held_minor + growth,
        overdraft_minor = CASE NEW.kind WHEN 'captured' THEN overdraft_minor ELSE least(
            overdraft_minor, greatest(0, balance_minor + held_minor + growth - credit_limit_minor)) END
        WHERE id = before.account_id;
    RETURN NEW;
END
$$;
CREATE TRIGGER billing_holdevent_apply BEFORE INSERT ON billing_holdevent
    FOR EACH ROW EXECUTE FUNCTION apply_hold_event();
"""
DROP_GUARD_HOLD = """
DROP TRIGGER billing_holdevent_apply ON billing_holdevent;
DROP FUNCTION apply_hold_event();
DROP TRIGGER billing_hold_no_truncate ON billing_hold;
DROP TRIGGER billing_hold_no_delete ON billing_hold;
DROP TRIGGER billing_hold_guard ON billing_hold;
DROP FUNCTION guard_hold();
"""


class Migration(migrations.Migration):
    """Triggers and composite keys over the tables of the books."""

    dependencies: ClassVar = [("billing", "0001_create_the_books"), ("accounts", "0002_guard_tables")]

    operations: ClassVar = [
        migrations.RunSQL(SAME_CURRENCY, DROP_SAME_CURRENCY),
        migrations.RunSQL(CREATED_IN, DROP_CREATED_IN),
        migrations.RunSQL(APPLY_ENTRY, DROP_APPLY_ENTRY),
        migrations.RunSQL(CHECK_TRANSACTION, DROP_CHECK_TRANSACTION),
        migrations.RunSQL(GUARD_ACCOUNT, DROP_GUARD_ACCOUNT),
        migrations.RunSQL(GUARD_HOLD, DROP_GUARD_HOLD),
        guards.append_only("billing_ledgertransaction", "billing_ledgerentry", "billing_holdevent"),
        guards.moves("billing_topup", "status", TOP_UP_MOVES),
        guards.moves("billing_bankreceipt", "status", RECEIPT_MOVES),
    ]
