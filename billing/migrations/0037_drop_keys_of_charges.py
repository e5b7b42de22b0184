"""Let charges go without keys and indexes that cost each of a million rows and that nothing reads."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0036_guard_wallet_landings"),
        ("catalog", "0004_let_rate_cards_carry_tariffs"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="charge",
            name="charge_once_per_release",
        ),
        migrations.RemoveConstraint(
            model_name="charge",
            name="charge_once_per_pause",
        ),
        migrations.AlterField(
            model_name="charge",
            name="contract",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="charges",
                to="billing.contract",
            ),
        ),
        migrations.AlterField(
            model_name="charge",
            name="offering",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="charges",
                to="catalog.offering",
            ),
        ),
        migrations.AlterField(
            model_name="charge",
            name="pause",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="charges",
                to="billing.contractpause",
            ),
        ),
        migrations.AlterField(
            model_name="charge",
            name="release",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="charges",
                to="billing.contractrelease",
            ),
        ),
        migrations.AlterField(
            model_name="charge",
            name="slot",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="charges",
                to="billing.contractslot",
            ),
        ),
        migrations.AddConstraint(
            model_name="charge",
            constraint=models.UniqueConstraint(
                condition=models.Q(("release__isnull", False)),
                fields=("release", "starts_at"),
                name="charge_once_per_release",
            ),
        ),
        migrations.AddConstraint(
            model_name="charge",
            constraint=models.UniqueConstraint(
                condition=models.Q(("pause__isnull", False)),
                fields=("pause", "starts_at"),
                name="charge_once_per_pause",
            ),
        ),
    ]
