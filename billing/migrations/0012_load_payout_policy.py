"""Load how providers are paid unless they have a policy of their own, and list what was set free before."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from django.db import migrations

SINCE = datetime(2020, 1, 1, tzinfo=UTC)
CLEARING_DAYS = {"2190": 5}

# What was released before there were payouts is owed: each provider has a balance of it and a payout that accrues it.
ACCRUE = """
INSERT INTO billing_providerbalance (id, organisation_id, currency, released_minor, committed_minor, shortfall_minor)
    SELECT gen_random_uuid(), organisation_id, currency, 0, 0, 0
    FROM billing_statementrelease WHERE released_at IS NOT NULL GROUP BY organisation_id, currency;
INSERT INTO billing_payout (id, organisation_id, currency, status, amount_minor, opened_at, method, bank_reference, failure)
    SELECT gen_random_uuid(), organisation_id, currency, 'accruing', 0, min(released_at), '', '', ''
    FROM billing_statementrelease WHERE released_at IS NOT NULL GROUP BY organisation_id, currency;
INSERT INTO billing_payoutitem (id, payout_id, release_id, part, amount_minor)
    SELECT gen_random_uuid(), p.id, r.id, 'release', r.amount_minor
    FROM billing_statementrelease r
    JOIN billing_payout p ON p.organisation_id = r.organisation_id AND p.currency = r.currency
    WHERE r.released_at IS NOT NULL;
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE billing_providerbalance DISABLE TRIGGER billing_providerbalance_guard;
UPDATE billing_providerbalance b SET released_minor = r.freed FROM (
    SELECT organisation_id, currency, sum(amount_minor) AS freed
    FROM billing_statementrelease WHERE released_at IS NOT NULL GROUP BY organisation_id, currency
) r WHERE r.organisation_id = b.organisation_id AND r.currency = b.currency;
ALTER TABLE billing_providerbalance ENABLE TRIGGER billing_providerbalance_guard;
"""


def load(apps: Any, schema_editor: Any) -> None:
    """Write the policy: weekly, from 100.00 CNY, nothing kept back, two people above 100,000.00 CNY."""
    apps.get_model("billing", "PayoutPolicy").objects.create(
        currency="CNY",
        frequency="weekly",
        minimum_minor=10_000,
        reserve_ppm=0,
        reserve_days=30,
        two_people_above_minor=10_000_000,
        effective_from=SINCE,
    )
    account = apps.get_model("billing", "ClearingAccount")
    account.objects.bulk_create(account(code=code, days=days) for code, days in CLEARING_DAYS.items())


class Migration(migrations.Migration):
    """Reference data, and the payouts of what is owed already."""

    dependencies: ClassVar = [("billing", "0011_guard_payouts")]

    operations: ClassVar = [
        migrations.RunPython(load, migrations.RunPython.noop),
        migrations.RunSQL(ACCRUE, migrations.RunSQL.noop),
    ]
