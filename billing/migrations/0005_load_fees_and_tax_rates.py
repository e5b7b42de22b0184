"""Load the first fee schedule and the tax rates in force."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from django.db import migrations

SINCE = datetime(2020, 1, 1, tzinfo=UTC)
SOURCE = "Value-added tax on modern services, general taxpayers"
RATES_PPM = {"S": 60_000, "Z": 0, "E": 0, "O": 0}


def load(apps: Any, schema_editor: Any) -> None:
    """Write fee schedule 1 (fee 1 %, commission 4 %) and the rates of mainland China."""
    apps.get_model("billing", "FeeSchedule").objects.create(
        version=1, buyer_fee_ppm=10_000, provider_commission_ppm=40_000, effective_from=SINCE
    )
    tax_rate = apps.get_model("billing", "TaxRate")
    tax_rate.objects.bulk_create(
        tax_rate(jurisdiction="CN", category=category, rate_ppm=rate_ppm, effective_from=SINCE, source=SOURCE)
        for category, rate_ppm in RATES_PPM.items()
    )


class Migration(migrations.Migration):
    """Reference data."""

    dependencies: ClassVar = [("billing", "0004_guard_contracts_usage_and_invoices")]

    operations: ClassVar = [migrations.RunPython(load, migrations.RunPython.noop)]
