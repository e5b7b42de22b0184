"""Let leases go without the indexes by party alone: those by party and id begin with them."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("exchange", "0018_tie_hours_offered_back")]

    operations: ClassVar = [
        migrations.AlterField(
            model_name="lease",
            name=party,
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name=related_name,
                to="accounts.organisation",
            ),
        )
        for party, related_name in (("buyer", "leases_bought"), ("provider", "leases_sold"))
    ]
