"""Let usage events go without the index by metering point: it cost each of them, and the contract's finds them as well."""

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("billing", "0051_guard_fapiao")]

    operations: ClassVar = [
        migrations.RunSQL(
            "DROP INDEX usage_event_of_point;",
            "CREATE INDEX usage_event_of_point ON billing_usageevent (metering_point_id, starts_at);",
        ),
    ]
