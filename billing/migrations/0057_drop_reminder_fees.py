"""Say reminders in Chinese too, and drop a fee that they announced and nobody ever charged."""

from typing import ClassVar

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """Columns of reminders; what was announced stands in the events that told of it."""

    dependencies: ClassVar = [("billing", "0056_guard_dispute_holds")]

    operations: ClassVar = [
        migrations.RemoveConstraint("dunninglevel", "dunning_level_in_range"),
        migrations.RemoveConstraint("dunningnotice", "dunning_notice_of_something"),
        # With a default it can be taken back where there are rows.
        migrations.AlterField("dunningnotice", "fee_minor", models.BigIntegerField(default=0)),
        migrations.RemoveField("dunninglevel", "fee_minor"),
        migrations.RemoveField("dunningnotice", "fee_minor"),
        migrations.AddField("dunninglevel", "text_zh", models.CharField(max_length=300, default="")),
        migrations.AddConstraint(
            "dunninglevel", models.CheckConstraint(condition=Q(level__gt=0), name="dunning_level_in_range")
        ),
        migrations.AddConstraint(
            "dunningnotice",
            models.CheckConstraint(condition=Q(outstanding_minor__gt=0), name="dunning_notice_of_something"),
        ),
    ]
