"""Let an original remember what was taken back of it, and keep disputes and write-offs from changing."""

from typing import ClassVar

from django.db import migrations

from accounts.foundation import guards

MOVES = {
    "draft": ("issued",),
    "issued": ("paid", "past_due", "disputed"),
    "past_due": ("paid", "disputed", "written_off"),
    "disputed": ("issued", "paid", "past_due", "written_off"),
    "paid": (),
    "written_off": (),
}
MOVES_BEFORE = MOVES | {"disputed": ("paid", "past_due", "written_off")}

# Looked at when the transaction ends: what an original says was credited is what its notes come to.
NOTES = """
CREATE FUNCTION check_notes_of_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    original uuid := coalesce(NEW.corrects_id, NEW.id);
    noted numeric;
    said bigint;
    charged bigint;
BEGIN
    SELECT coalesce(-sum(total_minor), 0) INTO noted FROM billing_invoice
        WHERE corrects_id = original AND status <> 'draft';
    SELECT credited_minor, total_minor INTO said, charged FROM billing_invoice
        WHERE id = original AND side = 'customer';
    IF FOUND AND (said <> noted OR noted > greatest(charged, 0)) THEN
        RAISE EXCEPTION 'invoice %: credited %, its notes come to %, of %', original, said, noted, charged
            USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_credited_is_its_notes';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER billing_invoice_credited_is_its_notes
    AFTER INSERT OR UPDATE OF status, credited_minor ON billing_invoice
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_notes_of_invoice();
"""
DROP_NOTES = """
DROP TRIGGER billing_invoice_credited_is_its_notes ON billing_invoice;
DROP FUNCTION check_notes_of_invoice();
"""

CLAIMS = """
CREATE TRIGGER billing_invoicedispute_keeps_its_reason BEFORE UPDATE ON billing_invoicedispute FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('resolution', 'resolution_reason', 'resolved_by', 'resolved_at');
CREATE TRIGGER billing_invoicedispute_is_resolved_once BEFORE UPDATE ON billing_invoicedispute FOR EACH ROW
    WHEN (OLD.resolved_at IS NOT NULL) EXECUTE FUNCTION forbid_change();
CREATE TRIGGER billing_invoicedispute_stays BEFORE DELETE ON billing_invoicedispute
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER billing_writeoff_keeps_its_reason BEFORE UPDATE ON billing_writeoff FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('approved_by_id', 'approved_at', 'amount_minor');
CREATE TRIGGER billing_writeoff_is_approved_once BEFORE UPDATE ON billing_writeoff FOR EACH ROW
    WHEN (OLD.approved_at IS NOT NULL) EXECUTE FUNCTION forbid_change();
CREATE TRIGGER billing_writeoff_stays BEFORE DELETE ON billing_writeoff
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
"""
DROP_CLAIMS = """
DROP TRIGGER billing_writeoff_stays ON billing_writeoff;
DROP TRIGGER billing_writeoff_is_approved_once ON billing_writeoff;
DROP TRIGGER billing_writeoff_keeps_its_reason ON billing_writeoff;
DROP TRIGGER billing_invoicedispute_stays ON billing_invoicedispute;
DROP TRIGGER billing_invoicedispute_is_resolved_once ON billing_invoicedispute;
DROP TRIGGER billing_invoicedispute_keeps_its_reason ON billing_invoicedispute;
"""


class Migration(migrations.Migration):
    """Triggers over credit notes, disputes, reminders and write-offs."""

    dependencies: ClassVar = [("billing", "0027_add_corrections_and_claims")]

    operations: ClassVar = [
        migrations.RunSQL(
            "DROP TRIGGER billing_invoice_status_moves ON billing_invoice;",
            guards.moves("billing_invoice", "status", MOVES_BEFORE).sql,
        ),
        guards.moves("billing_invoice", "status", MOVES),
        migrations.RunSQL(NOTES, DROP_NOTES),
        migrations.RunSQL(CLAIMS, DROP_CLAIMS),
        guards.append_only("billing_dunninglevel", "billing_dunningnotice"),
    ]
