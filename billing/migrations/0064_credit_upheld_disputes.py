"""Let a dispute be upheld only once a credit note has taken something back for it."""

from typing import ClassVar

from django.db import migrations

CHECK_UPHELD = """
CREATE FUNCTION check_upheld_dispute() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM billing_invoice note
        WHERE note.corrects_id = NEW.invoice_id AND note.kind = 'credit_note' AND note.status <> 'draft'
          AND note.issued_at BETWEEN NEW.opened_at AND NEW.resolved_at;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no credit note was issued on the invoice since it was disputed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_dispute_upheld_is_credited';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER billing_invoicedispute_upheld_is_credited AFTER INSERT OR UPDATE ON billing_invoicedispute
    FOR EACH ROW WHEN (NEW.resolution = 'upheld') EXECUTE FUNCTION check_upheld_dispute();
"""
UNCHECK_UPHELD = """
DROP TRIGGER billing_invoicedispute_upheld_is_credited ON billing_invoicedispute;
DROP FUNCTION check_upheld_dispute();
"""


class Migration(migrations.Migration):
    """A trigger over disputes."""

    dependencies: ClassVar = [("billing", "0063_guard_resales")]

    operations: ClassVar = [migrations.RunSQL(CHECK_UPHELD, UNCHECK_UPHELD)]
