"""Keep the bank's statements, and let a receipt be split or sent back."""

import datetime

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.foundation.ids


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0022_guard_card_payments"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BankEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("row", models.PositiveIntegerField()),
                ("account", models.CharField(max_length=64)),
                ("bank_reference", models.CharField(max_length=64)),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("booked_on", models.DateField()),
                ("value_date", models.DateField()),
                ("counterparty", models.CharField(max_length=200)),
                ("counterparty_account", models.CharField(blank=True, max_length=64)),
                ("remittance", models.CharField(blank=True, max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name="BankStatement",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("format", models.CharField(max_length=12)),
                ("file_name", models.CharField(max_length=120)),
                ("account", models.CharField(max_length=64)),
                ("reference", models.CharField(blank=True, max_length=64)),
                ("currency", models.CharField(max_length=3)),
                ("opening_minor", models.BigIntegerField(null=True)),
                ("closing_minor", models.BigIntegerField(null=True)),
                ("entry_count", models.PositiveIntegerField()),
                ("imported_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="ReceiptPart",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="bankreceipt",
            name="receipt_status_known",
        ),
        migrations.RemoveConstraint(
            model_name="bankreceipt",
            name="receipt_matched_has_its_top_up",
        ),
        migrations.AddConstraint(
            model_name="bankreceipt",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["unmatched", "matched", "split", "returned"])),
                name="receipt_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankreceipt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("matched_at__isnull", False), ("status", "matched"), ("top_up__isnull", False)),
                    models.Q(
                        ("matched_at__isnull", False), ("status__in", ["split", "returned"]), ("top_up__isnull", True)
                    ),
                    models.Q(("matched_at__isnull", True), ("status", "unmatched"), ("top_up__isnull", True)),
                    _connector="OR",
                ),
                name="receipt_matched_has_its_top_up",
            ),
        ),
        migrations.AddField(
            model_name="bankentry",
            name="receipt",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="entry", to="billing.bankreceipt"
            ),
        ),
        migrations.AddField(
            model_name="bankstatement",
            name="imported_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="bankentry",
            name="statement",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="entries", to="billing.bankstatement"
            ),
        ),
        migrations.AddField(
            model_name="receiptpart",
            name="receipt",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="parts", to="billing.bankreceipt"
            ),
        ),
        migrations.AddField(
            model_name="receiptpart",
            name="top_up",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="part", to="billing.topup"
            ),
        ),
        migrations.AddConstraint(
            model_name="bankstatement",
            constraint=models.CheckConstraint(
                condition=models.Q(("digest__regex", "^[0-9a-f]{64}$")), name="bank_statement_digest_is_one"
            ),
        ),
        migrations.AddConstraint(
            model_name="bankstatement",
            constraint=models.CheckConstraint(
                condition=models.Q(("entry_count__gt", 0)), name="bank_statement_has_entries"
            ),
        ),
        migrations.AddConstraint(
            model_name="bankstatement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("imported_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("imported_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                ),
                name="bank_statement_in_range",
            ),
        ),
        migrations.AddIndex(
            model_name="bankentry",
            index=models.Index(fields=["counterparty_account"], name="bank_entry_by_payer"),
        ),
        migrations.AddIndex(
            model_name="bankentry",
            index=models.Index(models.OrderBy(models.F("booked_on"), descending=True), name="bank_entry_by_day"),
        ),
        migrations.AddConstraint(
            model_name="bankentry",
            constraint=models.UniqueConstraint(fields=("account", "bank_reference"), name="bank_entry_once"),
        ),
        migrations.AddConstraint(
            model_name="bankentry",
            constraint=models.UniqueConstraint(fields=("statement", "row"), name="bank_entry_has_its_row"),
        ),
        migrations.AddConstraint(
            model_name="bankentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("amount_minor__gt", 0), ("receipt__isnull", False)),
                    models.Q(("amount_minor__lt", 0), ("receipt__isnull", True)),
                    _connector="OR",
                ),
                name="bank_entry_that_came_in_has_its_receipt",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("booked_on__gte", datetime.date(2020, 1, 1)),
                    ("booked_on__lt", datetime.date(2100, 1, 1)),
                    ("value_date__gte", datetime.date(2020, 1, 1)),
                    ("value_date__lt", datetime.date(2100, 1, 1)),
                ),
                name="bank_entry_in_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="receiptpart",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_minor__gt", 0)), name="receipt_part_amount_positive"
            ),
        ),
    ]
