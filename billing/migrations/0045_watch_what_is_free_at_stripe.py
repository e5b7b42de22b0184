"""Watch what is free at Stripe: it comes back to zero as Stripe pays out."""

from typing import Any, ClassVar

from django.db import migrations

# Stripe pays out what is free there every few days.
CLEARING_DAYS = {"1010": 14}


def load(apps: Any, schema_editor: Any) -> None:
    """Write the accounts."""
    account = apps.get_model("billing", "ClearingAccount")
    account.objects.bulk_create(account(code=code, days=days) for code, days in CLEARING_DAYS.items())


def unload(apps: Any, schema_editor: Any) -> None:
    """Take them away."""
    apps.get_model("billing", "ClearingAccount").objects.filter(code__in=CLEARING_DAYS).delete()


class Migration(migrations.Migration):
    dependencies: ClassVar = [("billing", "0044_guard_stripe_payouts")]
    operations: ClassVar = [migrations.RunPython(load, unload)]
