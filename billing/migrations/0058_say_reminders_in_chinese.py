"""Load the Chinese of the reminders."""

from typing import ClassVar

from django.db import migrations, models

TEXTS = (
    (1, "温馨提示：本账单已逾期，请尽快付款。"),
    (2, "第二次催款：请立即付款；如有异议，请对有误之处提出争议。"),
    (3, "最后一次催款：逾期不付，债权将移交处理，新订单可能不予受理。"),
)
SAY = (
    "ALTER TABLE billing_dunninglevel DISABLE TRIGGER billing_dunninglevel_no_change;",
    *(("UPDATE billing_dunninglevel SET text_zh = %s WHERE level = %s;", [text, level]) for level, text in TEXTS),
    "ALTER TABLE billing_dunninglevel ENABLE TRIGGER billing_dunninglevel_no_change;",
)


class Migration(migrations.Migration):
    """Reference data."""

    dependencies: ClassVar = [("billing", "0057_drop_reminder_fees")]

    operations: ClassVar = [
        migrations.RunSQL(SAY, migrations.RunSQL.noop),
        migrations.AlterField("dunninglevel", "text_zh", models.CharField(max_length=300)),
    ]
