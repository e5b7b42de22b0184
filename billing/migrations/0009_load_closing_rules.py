"""Load which differences keep a month open, and within how many days clearing accounts are back at zero."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from django.db import migrations

SINCE = datetime(2020, 1, 1, tzinfo=UTC)
THRESHOLD_MINOR = 10_000  # 100.00 CNY
# Stripe's money becomes available within three days; whose a receipt is turns out within five.
CLEARING_DAYS = {"1000": 3, "9000": 5}


def load(apps: Any, schema_editor: Any) -> None:
    """Write the first policy and the accounts."""
    apps.get_model("billing", "ClosingPolicy").objects.create(
        currency="CNY", threshold_minor=THRESHOLD_MINOR, effective_from=SINCE
    )
    account = apps.get_model("billing", "ClearingAccount")
    account.objects.bulk_create(account(code=code, days=days) for code, days in CLEARING_DAYS.items())


class Migration(migrations.Migration):
    """Reference data."""

    dependencies: ClassVar = [("billing", "0008_guard_the_workbench")]

    operations: ClassVar = [migrations.RunPython(load, migrations.RunPython.noop)]
