"""Number documents by legal entity: a series belongs to one of them and to one kind."""

from typing import Any, ClassVar

from django.db import migrations, models

import accounts.foundation.ids
from accounts.foundation import guards
from billing.invoices.rules import InvoiceKind

ISSUER = """
CREATE FUNCTION issuer_of_invoice(invoice billing_invoice) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(party ->> 'tax_id', ''), party ->> 'legal_name')
    FROM (SELECT CASE invoice.side WHEN 'customer' THEN invoice.seller ELSE invoice.buyer END AS party) AS issuer
$$;
"""
DROP_ISSUER = "DROP FUNCTION issuer_of_invoice(billing_invoice);"

IN_SERIES = """
CREATE FUNCTION check_invoice_in_its_series() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM billing_invoiceseries
        WHERE series = NEW.series AND kind = NEW.kind AND entity = issuer_of_invoice(NEW);
    IF NOT FOUND THEN
        RAISE EXCEPTION '% is no series of % for a %', NEW.series, issuer_of_invoice(NEW), NEW.kind
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'invoice_in_its_series';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER billing_invoice_in_its_series BEFORE UPDATE ON billing_invoice FOR EACH ROW
    WHEN (OLD.status = 'draft') EXECUTE FUNCTION check_invoice_in_its_series();
"""
DROP_IN_SERIES = """
DROP TRIGGER billing_invoice_in_its_series ON billing_invoice;
DROP FUNCTION check_invoice_in_its_series();
"""

# What was issued before is of one legal entity; a later one gets a series of its own with its first document.
EARLIER = """
INSERT INTO billing_invoiceseries (id, entity, kind, series)
SELECT gen_random_uuid(), entity, kind, series FROM (
    SELECT DISTINCT ON (series) issuer_of_invoice(i) AS entity, kind, series FROM billing_invoice i ORDER BY series, i.id
) AS earlier
"""


class Migration(migrations.Migration):
    """Series, and the trigger that keeps documents in theirs."""

    dependencies: ClassVar = [("billing", "0038_let_counters_count_many")]

    operations: ClassVar[list[Any]] = [
        migrations.CreateModel(
            name="InvoiceSeries",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("entity", models.CharField(max_length=200)),
                ("kind", models.CharField(max_length=24)),
                ("series", models.CharField(max_length=8)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["entity", "kind"], name="invoice_series_once_an_entity"),
                    models.UniqueConstraint(fields=["series"], name="invoice_series_of_one_entity"),
                    models.CheckConstraint(
                        condition=models.Q(kind__in=list(InvoiceKind)), name="invoice_series_kind_known"
                    ),
                ]
            },
        ),
        migrations.RunSQL(ISSUER, DROP_ISSUER),
        migrations.RunSQL(EARLIER, migrations.RunSQL.noop),
        migrations.RunSQL(IN_SERIES, DROP_IN_SERIES),
        guards.append_only("billing_invoiceseries"),
    ]
