"""Let the limit above which a refund takes two people be a row from an instant on."""

import datetime

from django.db import migrations, models

import accounts.foundation.ids
from accounts.foundation import guards


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0046_let_parked_messages_be_set_aside"),
    ]

    operations = [
        migrations.CreateModel(
            name="RefundPolicy",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("alone_up_to_minor", models.BigIntegerField()),
                ("effective_from", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("currency", "effective_from"), name="refund_policy_once"),
                    models.CheckConstraint(
                        condition=models.Q(("alone_up_to_minor__gte", 0)), name="refund_policy_in_range"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("effective_from__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("effective_from__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="refund_policy_time_in_range",
                    ),
                ],
            },
        ),
        guards.append_only("billing_refundpolicy"),
    ]
