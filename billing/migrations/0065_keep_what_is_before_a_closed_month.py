"""Let nothing take effect before a closed month either: a close counts all that came before its end."""

from typing import ClassVar

from django.db import migrations

CHECK = """
CREATE OR REPLACE FUNCTION check_period_is_open() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7301913);
    PERFORM 1 FROM billing_accountingperiod WHERE status = 'closed' AND {};
    IF FOUND THEN
        RAISE EXCEPTION 'the month of % is closed', NEW.effective_at
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'transaction_in_open_period';
    END IF;
    RETURN NEW;
END
$$;
"""


class Migration(migrations.Migration):
    """The trigger over postings."""

    dependencies: ClassVar = [("billing", "0064_credit_upheld_disputes")]

    operations: ClassVar = [
        migrations.RunSQL(
            CHECK.format("NEW.effective_at < ends_at"),
            CHECK.format("starts_at <= NEW.effective_at AND NEW.effective_at < ends_at"),
        )
    ]
