"""Keep published prices from changing and statuses on their moves."""

from typing import ClassVar

from django.db import migrations

from accounts.foundation import guards
from catalog.offerings.rules import MOVES as OFFERING_MOVES
from catalog.sites.rules import MOVES as SITE_MOVES


class Migration(migrations.Migration):
    """Triggers over the tables of the catalogue."""

    dependencies: ClassVar = [
        ("accounts", "0002_guard_tables"),
        ("catalog", "0002_load_reference_data"),
    ]

    operations: ClassVar = [
        guards.append_only("catalog_ratecard", "catalog_ratecarditem"),
        guards.moves("catalog_site", "status", SITE_MOVES),
        guards.moves("catalog_offering", "status", OFFERING_MOVES),
    ]
