"""Lock closed months, keep entries by hand what two people agreed on, and breaks closed by somebody."""

from typing import ClassVar

from django.db import migrations

from accounts.foundation import guards
from billing.journals.rules import JOURNAL_MOVES
from billing.periods.rules import PERIOD_MOVES, REOPENING_MOVES
from billing.reconciliation.rules import BREAK_MOVES

# The lock is shared by every posting and taken alone by a close: what began before it is counted by it, and what
# comes after it sees the month closed. The lock comes first, so that the look is at what is committed by then.
PERIODS = """
CREATE FUNCTION check_period_is_open() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7301913);
    PERFORM 1 FROM billing_accountingperiod
        WHERE status = 'closed' AND starts_at <= NEW.effective_at AND NEW.effective_at < ends_at;
    IF FOUND THEN
        RAISE EXCEPTION 'the month of % is closed', NEW.effective_at
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'transaction_in_open_period';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER billing_ledgertransaction_in_open_period BEFORE INSERT ON billing_ledgertransaction
    FOR EACH ROW EXECUTE FUNCTION check_period_is_open();

CREATE FUNCTION check_period_reopened() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM billing_periodreopening
        WHERE period_id = OLD.id AND status = 'approved' AND decided_at >= OLD.closed_at;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'month % is reopened by an approved request only', OLD.month
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'period_reopened_by_two';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER billing_accountingperiod_reopened BEFORE UPDATE ON billing_accountingperiod
    FOR EACH ROW WHEN (OLD.status = 'closed' AND NEW.status <> 'closed') EXECUTE FUNCTION check_period_reopened();
CREATE TRIGGER billing_accountingperiod_keeps_its_month BEFORE UPDATE ON billing_accountingperiod FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('status', 'closed_at', 'closed_by_id', 'transaction_count', 'checklist');
CREATE TRIGGER billing_accountingperiod_stays BEFORE DELETE ON billing_accountingperiod
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER billing_periodreopening_keeps_its_terms BEFORE UPDATE ON billing_periodreopening FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('status', 'decided_by_id', 'decided_at');
CREATE TRIGGER billing_periodreopening_stays BEFORE DELETE ON billing_periodreopening
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
"""
DROP_PERIODS = """
DROP TRIGGER billing_periodreopening_stays ON billing_periodreopening;
DROP TRIGGER billing_periodreopening_keeps_its_terms ON billing_periodreopening;
DROP TRIGGER billing_accountingperiod_stays ON billing_accountingperiod;
DROP TRIGGER billing_accountingperiod_keeps_its_month ON billing_accountingperiod;
DROP TRIGGER billing_accountingperiod_reopened ON billing_accountingperiod;
DROP FUNCTION check_period_reopened();
DROP TRIGGER billing_ledgertransaction_in_open_period ON billing_ledgertransaction;
DROP FUNCTION check_period_is_open();
"""

# What was posted is what was proposed, line by line.
JOURNALS = """
CREATE FUNCTION check_journal_posted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status = 'posted' AND EXISTS (
        SELECT 1 FROM (
            SELECT code, organisation_id, amount_minor FROM billing_journalline WHERE journal_id = NEW.id
            UNION ALL
            SELECT a.code, a.organisation_id, -e.amount_minor
            FROM billing_ledgerentry e JOIN billing_account a ON a.id = e.account_id
            JOIN billing_ledgertransaction x ON x.id = e.transaction_id
            WHERE x.id = NEW.transaction_id AND x.source_type = 'journal' AND x.source_id = NEW.id
                AND e.currency = NEW.currency
        ) AS both_sides GROUP BY code, organisation_id HAVING sum(amount_minor) <> 0
    ) THEN
        RAISE EXCEPTION 'journal % was not posted as proposed', NEW.id
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_posted_as_proposed';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER billing_manualjournal_posted AFTER UPDATE OF status ON billing_manualjournal
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_journal_posted();
CREATE TRIGGER billing_manualjournal_keeps_its_terms BEFORE UPDATE ON billing_manualjournal FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('status', 'decided_by_id', 'decided_at', 'transaction_id');
CREATE TRIGGER billing_manualjournal_stays BEFORE DELETE ON billing_manualjournal
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
"""
DROP_JOURNALS = """
DROP TRIGGER billing_manualjournal_stays ON billing_manualjournal;
DROP TRIGGER billing_manualjournal_keeps_its_terms ON billing_manualjournal;
DROP TRIGGER billing_manualjournal_posted ON billing_manualjournal;
DROP FUNCTION check_journal_posted();
"""

BREAKS = """
CREATE FUNCTION check_break_settled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM billing_manualjournal
        WHERE id = NEW.journal_id AND status = 'posted' AND subject_type = 'break' AND subject_id = NEW.id
            AND kind = CASE NEW.status WHEN 'adjusted' THEN 'adjustment' ELSE 'write_off' END;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'break % is not settled by a posted entry of its own', NEW.id
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'break_settled_by_its_journal';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER billing_break_settled BEFORE UPDATE OF status ON billing_break
    FOR EACH ROW WHEN (NEW.status IN ('adjusted', 'written_off')) EXECUTE FUNCTION check_break_settled();
CREATE TRIGGER billing_break_keeps_its_subject BEFORE UPDATE ON billing_break FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('amount_minor', 'currency', 'cause', 'seen_in_id', 'difference_gone_at',
        'owner_id', 'status', 'journal_id', 'explanation', 'resolved_by_id', 'resolved_at');
CREATE TRIGGER billing_break_is_resolved_once BEFORE UPDATE ON billing_break FOR EACH ROW
    WHEN (OLD.status <> 'open') EXECUTE FUNCTION forbid_change();
CREATE TRIGGER billing_break_stays BEFORE DELETE ON billing_break
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
"""
DROP_BREAKS = """
DROP TRIGGER billing_break_stays ON billing_break;
DROP TRIGGER billing_break_is_resolved_once ON billing_break;
DROP TRIGGER billing_break_keeps_its_subject ON billing_break;
DROP TRIGGER billing_break_settled ON billing_break;
DROP FUNCTION check_break_settled();
"""


class Migration(migrations.Migration):
    """Triggers over the tables of the workbench."""

    dependencies: ClassVar = [("billing", "0007_create_the_workbench"), ("accounts", "0002_guard_tables")]

    operations: ClassVar = [
        migrations.RunSQL(PERIODS, DROP_PERIODS),
        migrations.RunSQL(JOURNALS, DROP_JOURNALS),
        migrations.RunSQL(BREAKS, DROP_BREAKS),
        guards.moves("billing_accountingperiod", "status", PERIOD_MOVES),
        guards.moves("billing_periodreopening", "status", REOPENING_MOVES),
        guards.moves("billing_manualjournal", "status", JOURNAL_MOVES),
        guards.moves("billing_break", "status", BREAK_MOVES),
        guards.append_only(
            "billing_journalline", "billing_reconciliationrun", "billing_breaknote", "billing_closingpolicy"
        ),
    ]
