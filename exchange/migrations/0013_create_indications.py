"""Keep what rounds would have found before their gates, and the odds of orders in it."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.foundation.ids
from accounts.foundation import guards


class Migration(migrations.Migration):
    """The tables, and that their rows stay."""

    dependencies = [
        ("exchange", "0012_give_rounds_up_by_two_people"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Indication",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("place", models.PositiveSmallIntegerField()),
                ("taken_at", models.DateTimeField()),
                ("book_digest", models.CharField(max_length=64)),
                ("outcome_digest", models.CharField(max_length=64)),
                ("engine_version", models.CharField(max_length=100)),
                ("degraded", models.BooleanField()),
                ("matched_unit_hours", models.BigIntegerField()),
                ("lines", models.JSONField()),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="OrderOdds",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("filled_unit_hours", models.BigIntegerField()),
                ("wanted_unit_hours", models.BigIntegerField()),
                ("limit_micros", models.BigIntegerField()),
                ("best_price_micros", models.BigIntegerField(null=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="roundvoidrequest",
            name="void_request_state_is_known",
        ),
        migrations.AddConstraint(
            model_name="roundvoidrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["asked", "confirmed", "declined"])), name="void_request_state_known"
            ),
        ),
        migrations.AddField(
            model_name="indication",
            name="round",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="indications", to="exchange.round"
            ),
        ),
        migrations.AddField(
            model_name="orderodds",
            name="indication",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="odds", to="exchange.indication"
            ),
        ),
        migrations.AddField(
            model_name="orderodds",
            name="order",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="odds", to="exchange.order"
            ),
        ),
        migrations.AddConstraint(
            model_name="indication",
            constraint=models.UniqueConstraint(fields=("round", "place"), name="indication_once_a_place"),
        ),
        migrations.AddConstraint(
            model_name="indication",
            constraint=models.CheckConstraint(
                condition=models.Q(("matched_unit_hours__gte", 0), ("place__gte", 1)), name="indication_is_counted"
            ),
        ),
        migrations.AddConstraint(
            model_name="indication",
            constraint=models.CheckConstraint(
                condition=models.Q(("taken_at__lte", models.F("created_at"))), name="indication_taken_before_said"
            ),
        ),
        migrations.AddConstraint(
            model_name="orderodds",
            constraint=models.UniqueConstraint(fields=("indication", "order"), name="order_odds_once"),
        ),
        migrations.AddConstraint(
            model_name="orderodds",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("filled_unit_hours__gte", 0), ("wanted_unit_hours__gte", models.F("filled_unit_hours"))
                ),
                name="order_odds_within_what_is_wanted",
            ),
        ),
        guards.append_only("exchange_indication", "exchange_orderodds"),
    ]
