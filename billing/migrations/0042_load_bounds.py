"""Load the bounds of all parties, and count what was billed before."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from django.db import migrations

SINCE = datetime(2020, 1, 1, tzinfo=UTC)

COUNT = """
INSERT INTO billing_billedday (id, organisation_id, side, day, lines)
SELECT gen_random_uuid(), i.organisation_id, i.side, (i.created_at AT TIME ZONE 'Asia/Shanghai')::date, count(*)
FROM billing_invoice i JOIN billing_invoiceline l ON l.invoice_id = i.id
WHERE i.status <> 'draft' AND i.corrects_id IS NULL GROUP BY 2, 3, 4
"""


def load(apps: Any, schema_editor: Any) -> None:
    """Write bounds in CNY: 1 million a line, 5 million a document, ten times the usual month from 100,000 on."""
    apps.get_model("billing", "BillBound").objects.create(
        currency="CNY",
        line_minor=100_000_000,
        total_minor=500_000_000,
        lines_per_day=5_000,
        usual_multiple=10,
        usual_from_minor=10_000_000,
        two_people_above_minor=100_000_000,
        effective_from=SINCE,
        set_by="migration",
    )


class Migration(migrations.Migration):
    """Reference data."""

    dependencies: ClassVar = [("billing", "0041_guard_bounds")]

    operations: ClassVar = [
        migrations.RunPython(load, migrations.RunPython.noop),
        migrations.RunSQL(COUNT, migrations.RunSQL.noop),
    ]
