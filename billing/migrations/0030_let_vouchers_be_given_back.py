"""Let a credit note give back to a voucher what its invoice took, even after the voucher has ended."""

from typing import ClassVar

from django.db import migrations, models

CLOSED_ONCE = """
DROP TRIGGER billing_voucher_is_closed_once ON billing_voucher;
CREATE TRIGGER billing_voucher_is_closed_once BEFORE UPDATE ON billing_voucher FOR EACH ROW
    WHEN (OLD.closed_at IS NOT NULL {unless}) EXECUTE FUNCTION forbid_change();
"""


class Migration(migrations.Migration):
    """A use below zero, and a closed voucher of which less is used."""

    dependencies: ClassVar = [("billing", "0029_load_dunning_levels")]

    operations: ClassVar = [
        migrations.RemoveConstraint("voucheruse", "voucher_use_above_zero"),
        migrations.AddConstraint(
            "voucheruse",
            models.CheckConstraint(condition=~models.Q(amount_minor=0), name="voucher_use_of_something"),
        ),
        migrations.RunSQL(
            CLOSED_ONCE.format(unless="AND NOT (NEW.closed_at = OLD.closed_at AND NEW.used_minor < OLD.used_minor)"),
            CLOSED_ONCE.format(unless=""),
        ),
    ]
