"""Let a break stand for several rows: what a client sends wrongly ten thousand times is one difference."""

from typing import ClassVar

from django.db import migrations, models
from django.db.models import Q

KEEPS = """
DROP TRIGGER billing_break_keeps_its_subject ON billing_break;
CREATE TRIGGER billing_break_keeps_its_subject BEFORE UPDATE ON billing_break FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except({}'amount_minor', 'currency', 'cause', 'seen_in_id', 'difference_gone_at',
        'owner_id', 'status', 'journal_id', 'explanation', 'resolved_by_id', 'resolved_at');
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("billing", "0065_keep_what_is_before_a_closed_month"),
    ]

    operations: ClassVar = [
        migrations.AddField(model_name="break", name="count", field=models.PositiveIntegerField(default=1)),
        migrations.AddConstraint(
            model_name="break",
            constraint=models.CheckConstraint(condition=Q(count__gte=1), name="break_stands_for_something"),
        ),
        # As the cause, it follows what each run finds.
        migrations.RunSQL(KEEPS.format("'count', "), KEEPS.format("")),
    ]
