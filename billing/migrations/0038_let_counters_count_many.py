"""Let a counter give many numbers at once, and hold it to documents that have them when the transaction ends."""

from typing import ClassVar

from django.db import migrations

NEXT_NUMBER = """
CREATE OR REPLACE FUNCTION check_next_number() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.series <> OLD.series OR NEW.year <> OLD.year OR NEW.last {wrong}
        OR NEW.last_issued_at < OLD.last_issued_at
    THEN
        RAISE EXCEPTION 'counter % % goes from % to %', OLD.series, OLD.year, OLD.last, NEW.last
            USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_counter_counts_by_one';
    END IF;
    RETURN NEW;
END
$$;
"""

# Looked at when the transaction ends: it numbers its documents after the counter has moved.
GIVEN = """
CREATE FUNCTION check_numbers_are_given() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    given bigint;
BEGIN
    SELECT count(*) INTO given FROM billing_invoice
        WHERE series = NEW.series AND year = NEW.year AND n > OLD.last AND n <= NEW.last;
    IF given <> NEW.last - OLD.last THEN
        RAISE EXCEPTION 'counter % % went from % to % for % documents', OLD.series, OLD.year, OLD.last, NEW.last, given
            USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_counter_gives_every_number';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER billing_invoicecounter_gives_every_number AFTER UPDATE ON billing_invoicecounter
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_numbers_are_given();
"""
DROP_GIVEN = """
DROP TRIGGER billing_invoicecounter_gives_every_number ON billing_invoicecounter;
DROP FUNCTION check_numbers_are_given();
"""


class Migration(migrations.Migration):
    """The triggers of the counters."""

    dependencies: ClassVar = [("billing", "0037_drop_keys_of_charges")]

    operations: ClassVar = [
        migrations.RunSQL(NEXT_NUMBER.format(wrong="< OLD.last"), NEXT_NUMBER.format(wrong="<> OLD.last + 1")),
        migrations.RunSQL(GIVEN, DROP_GIVEN),
    ]
