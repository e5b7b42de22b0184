"""Keep a list of usage that may have no charge yet, so that rating need not look at all there ever was.

The statement that inserts events writes down which ids they have, by contract. No position in the order of ids could
say as much: batches are committed in another order than they get their ids in, on clocks of several machines.
"""

import django.db.models.deletion
from django.db import migrations, models

TABLES = ("billing_usageevent", *(f"billing_usageevent_p{n}" for n in range(8)))

FUNCTION = """
CREATE FUNCTION list_unrated_usage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO billing_unratedusage (contract_id, first_id, last_id, events)
        SELECT contract_id, min(id::text)::uuid, max(id::text)::uuid, count(*) FROM added GROUP BY contract_id;
    RETURN NULL;
END
$$;
"""
# A statement fires the triggers of the table that it names, and no partition's.
FIRE = "".join(
    f"CREATE TRIGGER {table}_unrated AFTER INSERT ON {table} REFERENCING NEW TABLE AS added"
    " FOR EACH STATEMENT EXECUTE FUNCTION list_unrated_usage();"
    for table in TABLES
)
NO_FIRE = "".join(f"DROP TRIGGER {table}_unrated ON {table};" for table in TABLES)

LIST = """
INSERT INTO billing_unratedusage (contract_id, first_id, last_id, events)
    SELECT contract_id, min(id::text)::uuid, max(id::text)::uuid, count(*) FROM billing_usageevent event
    WHERE NOT EXISTS (SELECT FROM billing_charge charge WHERE charge.usage_event_id = event.id)
    GROUP BY contract_id;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0048_load_refund_limit"),
    ]

    operations = [
        migrations.CreateModel(
            name="UnratedUsage",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("first_id", models.UUIDField()),
                ("last_id", models.UUIDField()),
                ("events", models.PositiveIntegerField()),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="unrated_usage",
                        to="billing.contract",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("events__gt", 0), ("first_id__lte", models.F("last_id"))),
                        name="unrated_usage_not_empty",
                    )
                ],
            },
        ),
        migrations.RunSQL(FUNCTION, "DROP FUNCTION list_unrated_usage();"),
        migrations.RunSQL(FIRE, NO_FIRE),
        migrations.RunSQL(LIST, migrations.RunSQL.noop),
    ]
