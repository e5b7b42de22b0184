"""Let a market keep prices near what was last traded, and find that quickly."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("exchange", "0014_let_markets_announce_calendars"),
    ]

    operations = [
        migrations.AddField(
            model_name="market",
            name="collar_percent",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name="roundprice",
            index=models.Index(
                condition=models.Q(("traded_unit_hours__gt", 0)),
                fields=["market", "published_at"],
                name="round_price_traded",
            ),
        ),
        migrations.AddConstraint(
            model_name="market",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("collar_percent__isnull", True),
                    models.Q(("collar_percent__gte", 1), ("collar_percent__lte", 1000)),
                    _connector="OR",
                ),
                name="exchange_market_collar_percent_bounded",
            ),
        ),
    ]
