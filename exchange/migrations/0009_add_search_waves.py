"""Keep the working papers of the search for a large book: waves, their batches, and the answers to them."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

import accounts.foundation.ids
from accounts.foundation import guards


class Migration(migrations.Migration):
    """Three append-only tables."""

    dependencies: ClassVar = [("exchange", "0008_guard_quotes")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="SearchBatch",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("place", models.PositiveIntegerField()),
                ("places", models.JSONField()),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="SearchAnswer",
            fields=[
                (
                    "batch",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="answer",
                        serialize=False,
                        to="exchange.searchbatch",
                    ),
                ),
                ("document", models.JSONField()),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="SearchWave",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("allocation", models.JSONField()),
                ("effort", models.JSONField()),
                ("created_at", models.DateTimeField()),
                (
                    "round",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="waves", to="exchange.round"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="searchbatch",
            name="wave",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="batches", to="exchange.searchwave"
            ),
        ),
        migrations.AddConstraint(
            model_name="searchwave",
            constraint=models.UniqueConstraint(fields=("round", "number"), name="search_wave_once"),
        ),
        migrations.AddConstraint(
            model_name="searchbatch",
            constraint=models.UniqueConstraint(fields=("wave", "place"), name="search_batch_once"),
        ),
        guards.append_only("exchange_searchwave", "exchange_searchbatch", "exchange_searchanswer"),
    ]
