"""Load the reminders of an unpaid invoice: when they go out, and what they announce."""

from typing import Any, ClassVar

from django.db import migrations

LEVELS = (
    (1, 3, 0, "A friendly reminder: this invoice is past due."),
    (2, 14, 0, "The second reminder: please pay now, or dispute what is wrong."),
    (3, 30, 5_000, "The last reminder before the claim is handed on; new orders may be declined."),
)


def load(apps: Any, schema_editor: Any) -> None:
    """Write three levels: 3, 14 and 30 days past due."""
    level = apps.get_model("billing", "DunningLevel")
    level.objects.bulk_create(
        level(level=number, days_past_due=days, fee_minor=fee_minor, text=text)
        for number, days, fee_minor, text in LEVELS
    )


class Migration(migrations.Migration):
    """Reference data."""

    dependencies: ClassVar = [("billing", "0028_guard_corrections_and_claims")]

    operations: ClassVar = [migrations.RunPython(load, migrations.RunPython.noop)]
