"""Let markets announce other calendars, and keep what was announced."""

from typing import ClassVar

from django.db import migrations, models

KEEP_CALENDARS = """
CREATE FUNCTION keep_announced_calendars() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF jsonb_array_length(NEW.calendars) < jsonb_array_length(OLD.calendars) OR EXISTS (
        SELECT 1 FROM jsonb_array_elements(OLD.calendars) WITH ORDINALITY AS was(calendar, n)
        WHERE NEW.calendars -> (was.n::integer - 1) IS DISTINCT FROM was.calendar
    ) THEN
        RAISE EXCEPTION 'an announced calendar is not taken back'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'market_calendars_are_kept';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER exchange_market_keeps_calendars AFTER UPDATE OF calendars ON exchange_market
    FOR EACH ROW EXECUTE FUNCTION keep_announced_calendars();
"""
FORGET_CALENDARS = """
DROP TRIGGER exchange_market_keeps_calendars ON exchange_market;
DROP FUNCTION keep_announced_calendars();
"""


class Migration(migrations.Migration):
    """A market's announced calendars, in the order in which they take effect."""

    dependencies: ClassVar = [("exchange", "0013_create_indications")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="market",
            name="calendars",
            field=models.JSONField(default=list),
        ),
        migrations.RunSQL(KEEP_CALENDARS, FORGET_CALENDARS),
    ]
