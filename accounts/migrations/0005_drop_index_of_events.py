"""Let events go without the index by organisation alone: the one by organisation and id begins with it."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0004_link_audit_records_in_one_pass")]

    operations: ClassVar = [
        migrations.AlterField(
            model_name="event",
            name="organisation",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.organisation",
            ),
        ),
    ]
