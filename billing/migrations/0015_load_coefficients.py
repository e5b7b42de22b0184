"""Load the coefficient that rated performance is stated at."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from django.db import migrations

SINCE = datetime(2020, 1, 1, tzinfo=UTC)


def load(apps: Any, schema_editor: Any) -> None:
    """Let dense FP16, the precision that listings are rated at, count as it is; others are for the operator to set."""
    apps.get_model("billing", "Coefficient").objects.create(
        precision="fp16",
        version=1,
        coefficient_ppm=1_000_000,
        source="Listings are rated at dense FP16",
        effective_from=SINCE,
        created_at=SINCE,
    )


class Migration(migrations.Migration):
    """Reference data."""

    dependencies: ClassVar = [("billing", "0014_guard_pricing")]

    operations: ClassVar = [migrations.RunPython(load, migrations.RunPython.noop)]
