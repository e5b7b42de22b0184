"""What providers are owed and when, where it goes, and the payouts that pay it."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids, strict
from accounts.organisations.models import Organisation
from billing.ledger.models import LedgerTransaction
from billing.payouts.rules import DESTINATION_HOLD, Frequency, ItemPart, PayoutMethod, PayoutStatus
from catalog.measures.rounding import PPM


class StatementRelease(models.Model):
    """One statement's amount on its way from pending to available; negative when the provider owes."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="statement_releases")
    statement_id = models.UUIDField(unique=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()  # the dispute deadline of the last delivered segment
    released_at = models.DateTimeField(null=True)
    transaction = models.OneToOneField(LedgerTransaction, on_delete=models.PROTECT, null=True, related_name="+")
    # Kept back at the release, and set free later.
    reserve_minor = models.BigIntegerField(default=0)
    reserve_due_at = models.DateTimeField(null=True)
    reserve_released_at = models.DateTimeField(null=True)
    reserve_transaction = models.OneToOneField(LedgerTransaction, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(amount_minor=0), name="release_moves_something"),
            models.CheckConstraint(
                condition=Q(reserve_minor=0, reserve_due_at__isnull=True)
                | Q(reserve_minor__gt=0, reserve_minor__lte=F("amount_minor"), released_at__isnull=False)
                & Q(reserve_due_at__gte=F("released_at")),
                name="release_reserve_within_amount",
            ),
            models.CheckConstraint(
                condition=Q(reserve_released_at__isnull=True, reserve_transaction__isnull=True)
                | Q(reserve_released_at__gte=F("reserve_due_at"), reserve_transaction__isnull=False),
                name="release_reserve_waits_for_its_day",
            ),
            models.CheckConstraint(
                condition=Q(released_at__isnull=True, transaction__isnull=True)
                | Q(released_at__gte=F("due_at"), transaction__isnull=False),
                name="release_waits_for_its_deadline",
            ),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, created_at__lt=strict.LATEST)
                & Q(due_at__gte=strict.EARLIEST, due_at__lt=strict.LATEST),
                name="release_times_in_range",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=Q(released_at__isnull=True), name="release_open_by_due"),
            models.Index(
                fields=["reserve_due_at"],
                condition=Q(reserve_minor__gt=0, reserve_released_at__isnull=True),
                name="reserve_open_by_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.currency} due {self.due_at:%Y-%m-%d}"


class DisputeHold(models.Model):
    """A provider's part of a disputed invoice: kept from being paid until the dispute is resolved.

    It waits for the release of its statement, holds from then on, and is lifted once. `dispute_id` is the dispute's.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    release = models.ForeignKey(StatementRelease, on_delete=models.PROTECT, related_name="holds")
    dispute_id = models.UUIDField(unique=True)
    amount_minor = models.BigIntegerField()
    created_at = models.DateTimeField()
    held_at = models.DateTimeField(null=True)
    transaction = models.OneToOneField(LedgerTransaction, on_delete=models.PROTECT, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True)
    lift_transaction = models.OneToOneField(LedgerTransaction, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(amount_minor__gte=0), name="dispute_hold_not_below_zero"),
            models.CheckConstraint(
                condition=Q(held_at__isnull=True, transaction__isnull=True)
                | Q(held_at__gte=F("created_at"), transaction__isnull=False, amount_minor__gt=0),
                name="dispute_hold_held_is_posted",
            ),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lift_transaction__isnull=True)
                | Q(lifted_at__gte=F("created_at"), held_at__isnull=True, lift_transaction__isnull=True)
                | Q(lifted_at__gte=F("held_at"), lift_transaction__isnull=False),
                name="dispute_hold_lifted_is_posted",
            ),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, created_at__lt=strict.LATEST)
                & (Q(lifted_at__isnull=True) | Q(lifted_at__lt=strict.LATEST)),
                name="dispute_hold_times_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} held"


class PayoutPolicy(models.Model):
    """When and how a provider is paid, from an instant on; without an organisation, everybody else. Append-only."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="payout_policies")
    currency = models.CharField(max_length=3)
    frequency = models.CharField(max_length=8)
    minimum_minor = models.BigIntegerField()  # less than this waits for the next time
    reserve_ppm = models.PositiveIntegerField()  # of each release, kept back
    reserve_days = models.PositiveSmallIntegerField()  # for so long
    two_people_above_minor = models.BigIntegerField()
    effective_from = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "currency", "effective_from"], nulls_distinct=False, name="payout_policy_once"
            ),
            models.CheckConstraint(condition=Q(frequency__in=list(Frequency)), name="payout_policy_frequency_known"),
            models.CheckConstraint(
                condition=Q(minimum_minor__gte=1, reserve_ppm__lte=PPM, two_people_above_minor__gte=0),
                name="payout_policy_in_range",
            ),
            models.CheckConstraint(
                condition=Q(effective_from__gte=strict.EARLIEST, effective_from__lt=strict.LATEST),
                name="payout_policy_time_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.frequency} from {self.effective_from:%Y-%m-%d}"


class PayoutDestination(models.Model):
    """A provider's bank account, sealed. A change is a new row: what was paid keeps where it went."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="payout_destinations")
    holder = models.CharField(max_length=140)
    bank_name = models.CharField(max_length=140)
    bank_code = models.CharField(max_length=14)  # of the clearing system, or a BIC
    account_sealed = models.BinaryField()
    account_ending = models.CharField(max_length=4)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    replaced_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation"], condition=Q(replaced_at__isnull=True), name="payout_destination_one_at_a_time"
            ),
            # What payouts copy, so that the database can compare.
            models.UniqueConstraint(fields=["id", "organisation", "created_at"], name="payout_destination_key"),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, created_at__lt=strict.LATEST)
                & (Q(replaced_at__isnull=True) | Q(replaced_at__gte=F("created_at"))),
                name="payout_destination_times_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.bank_name} ...{self.account_ending}"

    @property
    def held_until(self) -> datetime:
        """From when on payouts may go there."""
        return self.created_at + DESTINATION_HOLD


class ProviderBalance(models.Model):
    """What was set free for a provider and what payouts have taken of it. Kept by triggers.

    `shortfall_minor` is how far a later negative statement took what is free below what was taken already.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="provider_balances")
    currency = models.CharField(max_length=3)
    released_minor = models.BigIntegerField(default=0)
    committed_minor = models.BigIntegerField(default=0)  # approved, in transit or paid
    shortfall_minor = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation", "currency"], name="provider_balance_once"),
            models.CheckConstraint(
                condition=Q(committed_minor__gte=0, shortfall_minor__gte=0)
                & Q(committed_minor__lte=F("released_minor") + F("shortfall_minor")),
                name="payouts_within_payable",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.released_minor - self.committed_minor} {self.currency}"


class TransferFile(models.Model):
    """Payouts handed to the bank in one file. Append-only; the file is made from its payouts when it is asked for."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    currency = models.CharField(max_length=3)
    payout_count = models.PositiveIntegerField()
    total_minor = models.BigIntegerField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(payout_count__gt=0, total_minor__gt=0), name="transfer_file_not_empty"),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, created_at__lt=strict.LATEST),
                name="transfer_file_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payout_count} for {self.total_minor} {self.currency}"


_SENT = [PayoutStatus.IN_TRANSIT, PayoutStatus.PAID, PayoutStatus.FAILED]


class Payout(models.Model):
    """One payment to a provider, from what accrues to what the bank says."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="payouts")
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=12)
    amount_minor = models.BigIntegerField(default=0)  # of its items, once it is due
    opened_at = models.DateTimeField()
    looked_at = models.DateTimeField(null=True)  # the last day of the schedule on which it was too little
    due_at = models.DateTimeField(null=True)
    made_due_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    two_people_above_minor = models.BigIntegerField(null=True)  # as the policy said when it fell due
    first_approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    method = models.CharField(max_length=8, blank=True)
    # Composite key (destination, organisation, when it was entered) in the guards migration.
    destination = models.ForeignKey(
        PayoutDestination, on_delete=models.PROTECT, null=True, related_name="payouts", db_constraint=False
    )
    destination_changed_at = models.DateTimeField(null=True)
    file = models.ForeignKey(TransferFile, on_delete=models.PROTECT, null=True, related_name="payouts")
    sent_at = models.DateTimeField(null=True)
    sent_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    bank_reference = models.CharField(max_length=64, blank=True)
    ended_at = models.DateTimeField(null=True)  # paid or failed
    failure = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(status__in=list(PayoutStatus)), name="payout_status_known"),
            models.UniqueConstraint(
                fields=["organisation", "currency"],
                condition=Q(status=PayoutStatus.ACCRUING),
                name="payout_one_accruing",
            ),
            models.CheckConstraint(
                condition=Q(status=PayoutStatus.ACCRUING, amount_minor=0, due_at__isnull=True)
                | Q(~Q(status=PayoutStatus.ACCRUING), amount_minor__gt=0)
                & Q(due_at__isnull=False, two_people_above_minor__isnull=False),
                name="payout_due_has_its_amount",
            ),
            models.CheckConstraint(
                condition=Q(status__in=[PayoutStatus.ACCRUING, PayoutStatus.DUE], approved_by__isnull=True)
                | Q(status__in=[PayoutStatus.APPROVED, *_SENT], approved_by__isnull=False, approved_at__isnull=False),
                name="payout_approved_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True)
                | Q(amount_minor__lte=F("two_people_above_minor"))
                | Q(first_approved_by__isnull=False),
                name="payout_above_limit_takes_two_people",
            ),
            models.CheckConstraint(
                condition=~Q(approved_by=F("first_approved_by"))
                & ~Q(approved_by=F("made_due_by"))
                & ~Q(first_approved_by=F("made_due_by")),
                name="payout_approver_is_another",
            ),
            models.CheckConstraint(
                condition=Q(status__in=_SENT, sent_at__isnull=False, method__in=list(PayoutMethod))
                & Q(destination_changed_at__isnull=False)
                & (Q(method=PayoutMethod.STRIPE) | Q(destination__isnull=False))
                | ~Q(status__in=_SENT) & Q(sent_at__isnull=True, method="", destination__isnull=True),
                name="payout_sent_somewhere",
            ),
            models.CheckConstraint(
                condition=Q(sent_at__isnull=True) | Q(sent_at__gte=F("destination_changed_at") + DESTINATION_HOLD),
                name="payout_waits_after_a_change",
            ),
            models.CheckConstraint(
                condition=Q(status=PayoutStatus.FAILED, ended_at__isnull=False) & ~Q(failure="")
                | Q(status=PayoutStatus.PAID, ended_at__isnull=False, failure="")
                | Q(ended_at__isnull=True, failure="") & ~Q(status__in=[PayoutStatus.FAILED, PayoutStatus.PAID]),
                name="payout_ended_as_it_says",
            ),
            models.CheckConstraint(
                condition=Q(opened_at__gte=strict.EARLIEST, opened_at__lt=strict.LATEST)
                & (Q(due_at__isnull=True) | Q(due_at__lt=strict.LATEST))
                & (Q(sent_at__isnull=True) | Q(sent_at__lt=strict.LATEST))
                & (Q(ended_at__isnull=True) | Q(ended_at__gte=F("sent_at"), ended_at__lt=strict.LATEST)),
                name="payout_times_in_order",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["organisation", "-id"], name="payout_of_organisation")]

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.currency} {self.status}"


class PayoutItem(models.Model):
    """What a payout pays: a part of one statement. When the payout fails the item is given on to the next one."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, related_name="items")
    release = models.ForeignKey(StatementRelease, on_delete=models.PROTECT, related_name="payout_items")
    part = models.CharField(max_length=8)
    hold = models.ForeignKey(DisputeHold, on_delete=models.PROTECT, null=True, related_name="payout_items")
    amount_minor = models.BigIntegerField()
    given_on_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(part__in=list(ItemPart)), name="payout_item_part_known"),
            models.CheckConstraint(condition=~Q(amount_minor=0), name="payout_item_moves_something"),
            models.UniqueConstraint(
                fields=["release", "part", "hold"],
                condition=Q(given_on_at__isnull=True),
                nulls_distinct=False,
                name="payout_item_paid_once",
            ),
            models.CheckConstraint(
                condition=Q(hold__isnull=True, part__in=[ItemPart.RELEASE.value, ItemPart.RESERVE.value])
                | Q(hold__isnull=False, part=ItemPart.HELD.value, amount_minor__lt=0)
                | Q(hold__isnull=False, part=ItemPart.LIFTED.value, amount_minor__gt=0),
                name="payout_item_of_a_hold",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.part} {self.amount_minor}"
