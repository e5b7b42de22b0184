"""Load up to which amount one person may send money back to a card."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from django.db import migrations

SINCE = datetime(2020, 1, 1, tzinfo=UTC)
ALONE_UP_TO_MINOR = 100_000  # 1,000.00 CNY


def load(apps: Any, schema_editor: Any) -> None:
    """Write the first policy."""
    apps.get_model("billing", "RefundPolicy").objects.create(
        currency="CNY", alone_up_to_minor=ALONE_UP_TO_MINOR, effective_from=SINCE
    )


class Migration(migrations.Migration):
    dependencies: ClassVar = [("billing", "0047_let_refund_limits_be_rows")]
    operations: ClassVar = [migrations.RunPython(load, migrations.RunPython.noop)]
