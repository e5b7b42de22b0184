"""Let rounds say from when on they may be published, and hold them to it."""

from typing import ClassVar

from django.db import migrations, models
from django.db.models import F, Q

# An order is settled when its buyer may know: the same instant as everybody's.
CHECK_SETTLED = """
CREATE FUNCTION exchange_check_settled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM exchange_round WHERE id = NEW.round_id AND publishes_at > NEW.settled_at) THEN
        RAISE EXCEPTION 'round % is settled before it may be published', NEW.round_id
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'round_order_settled_at_its_time';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER exchange_roundorder_settled_at_its_time AFTER UPDATE OF state ON exchange_roundorder
    FOR EACH ROW WHEN (NEW.state = 'settled') EXECUTE FUNCTION exchange_check_settled();
"""
UNCHECK_SETTLED = """
DROP TRIGGER exchange_roundorder_settled_at_its_time ON exchange_roundorder;
DROP FUNCTION exchange_check_settled();
"""


class Migration(migrations.Migration):
    """The instant of publication, and its guards."""

    dependencies: ClassVar = [("exchange", "0015_bound_prices_by_what_was_traded")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="round",
            name="publishes_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddConstraint(
            model_name="round",
            constraint=models.CheckConstraint(
                condition=Q(publishes_at__isnull=True) | Q(publishes_at__gte=F("scheduled_at")),
                name="round_publishes_after_its_gate",
            ),
        ),
        migrations.AddConstraint(
            model_name="round",
            constraint=models.CheckConstraint(
                condition=Q(publishes_at__isnull=True)
                | Q(published_at__isnull=True)
                | Q(published_at__gte=F("publishes_at")),
                name="round_published_at_its_time",
            ),
        ),
        migrations.RunSQL(CHECK_SETTLED, UNCHECK_SETTLED),
    ]
