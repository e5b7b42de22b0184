"""Imported statements of the bank and their entries."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids, strict
from billing.payments.models import BankReceipt


class BankStatement(models.Model):
    """A file of the bank, imported once: `digest` is the SHA-256 of its text. Append-only."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    digest = models.CharField(max_length=64, unique=True)
    format = models.CharField(max_length=12)
    file_name = models.CharField(max_length=120)
    account = models.CharField(max_length=64)
    reference = models.CharField(max_length=64, blank=True)
    currency = models.CharField(max_length=3)
    opening_minor = models.BigIntegerField(null=True)
    closing_minor = models.BigIntegerField(null=True)
    entry_count = models.PositiveIntegerField()  # in the file, those that were known before too
    imported_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    imported_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="bank_statement_digest_is_one"),
            models.CheckConstraint(condition=Q(entry_count__gt=0), name="bank_statement_has_entries"),
            models.CheckConstraint(
                condition=Q(imported_at__gte=strict.EARLIEST, imported_at__lt=strict.LATEST),
                name="bank_statement_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name


class BankEntry(models.Model):
    """A booked movement of a bank account, once by the bank's own id. What came in has its receipt. Append-only."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    statement = models.ForeignKey(BankStatement, on_delete=models.PROTECT, related_name="entries")
    row = models.PositiveIntegerField()  # its place in the file, from 1
    account = models.CharField(max_length=64)
    bank_reference = models.CharField(max_length=64)
    amount_minor = models.BigIntegerField()  # below zero: it went out
    currency = models.CharField(max_length=3)
    booked_on = models.DateField()
    value_date = models.DateField()
    counterparty = models.CharField(max_length=200)
    counterparty_account = models.CharField(max_length=64, blank=True)
    remittance = models.CharField(max_length=200, blank=True)
    receipt = models.OneToOneField(BankReceipt, on_delete=models.PROTECT, null=True, related_name="entry")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "bank_reference"], name="bank_entry_once"),
            models.UniqueConstraint(fields=["statement", "row"], name="bank_entry_has_its_row"),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, receipt__isnull=False) | Q(amount_minor__lt=0, receipt__isnull=True),
                name="bank_entry_that_came_in_has_its_receipt",
            ),
            models.CheckConstraint(
                condition=Q(booked_on__gte=strict.EARLIEST.date(), booked_on__lt=strict.LATEST.date())
                & Q(value_date__gte=strict.EARLIEST.date(), value_date__lt=strict.LATEST.date()),
                name="bank_entry_in_range",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["counterparty_account"], name="bank_entry_by_payer"),
            models.Index(F("booked_on").desc(), name="bank_entry_by_day"),
        ]

    def __str__(self) -> str:
        return self.bank_reference
