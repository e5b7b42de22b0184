"""Contracts with their price schedule, and the fee and tax rates that new contracts take over."""

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids, strict
from accounts.organisations.models import Organisation, TimeRange
from accounts.projects.models import Project
from billing.contracts.rules import ContractStatus, TerminationReason
from billing.contracts.terms import MerchantOfRecord
from billing.ledger.models import Hold
from catalog.measures.rounding import PPM
from catalog.offerings.models import Offering


class Contract(models.Model):
    """One order (the source) with one provider: what was agreed, word for word, and where it stands.

    Everything up to `created_at` never changes (a trigger sees to it). `held_minor` is what is left of this
    contract's share of the hold: an order with several contracts has one hold for all of them.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    source_type = models.CharField(max_length=32)
    source_id = models.UUIDField()
    # The contract whose hours this one takes over, where its buyer sold them back; see ContractResale.
    origin = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="takers")
    buyer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="contracts_bought")
    provider = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="contracts_sold")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="contracts")
    market_code = models.CharField(max_length=40)
    currency = models.CharField(max_length=3)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    merchant_of_record = models.CharField(max_length=16)
    fee_version = models.PositiveIntegerField()
    terms = models.JSONField()
    terms_digest = models.CharField(max_length=64)  # SHA-256 of the canonical terms and schedule
    value_minor = models.BigIntegerField()  # the schedule at its prices, without fee and tax
    # Value with fee and tax, and what the order set aside for extras: this contract's part of the hold.
    share_minor = models.BigIntegerField()
    hold = models.ForeignKey(Hold, on_delete=models.PROTECT, null=True, related_name="contracts")
    synthetic = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    # What changes in its life.
    status = models.CharField(max_length=16, default=ContractStatus.SCHEDULED)
    terminated_reason = models.CharField(max_length=32, blank=True)
    held_minor = models.BigIntegerField()
    ended_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        indexes: ClassVar = [
            models.Index(fields=["buyer", "-id"], name="billing_contract_of_buyer"),
            models.Index(fields=["provider", "-id"], name="billing_contract_of_provider"),
            models.Index(fields=["status", "ends_at"], name="billing_contract_by_end"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source_type", "source_id", "provider", "origin"],
                nulls_distinct=False,
                name="contract_one_per_source_and_provider",
            ),
            models.CheckConstraint(condition=~Q(source_type=""), name="contract_names_its_source"),
            models.CheckConstraint(condition=~Q(buyer=F("provider")), name="contract_parties_differ"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="contract_currency_is_iso"),
            models.CheckConstraint(condition=Q(status__in=list(ContractStatus)), name="contract_status_known"),
            models.CheckConstraint(
                condition=Q(merchant_of_record__in=list(MerchantOfRecord)), name="contract_merchant_known"
            ),
            models.CheckConstraint(
                condition=Q(terminated_reason="") & ~Q(status=ContractStatus.TERMINATED)
                | Q(terminated_reason__in=list(TerminationReason))
                & Q(status__in=[ContractStatus.TERMINATED, ContractStatus.SETTLED]),
                name="contract_terminated_for_a_reason",
            ),
            models.CheckConstraint(condition=Q(terms_digest__regex=r"^[0-9a-f]{64}$"), name="contract_digest_shape"),
            models.CheckConstraint(
                condition=Q(value_minor__gte=0, share_minor__gte=F("value_minor"), held_minor__gte=0)
                & Q(held_minor__lte=F("share_minor")),
                name="contract_held_within_share",
            ),
            models.CheckConstraint(
                condition=Q(hold__isnull=False) | Q(held_minor=0), name="contract_holds_by_its_hold"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True)
                & Q(status__in=[ContractStatus.SCHEDULED, ContractStatus.ACTIVE, ContractStatus.PAUSED])
                | Q(ended_at__isnull=False)
                & Q(status__in=[ContractStatus.ENDED, ContractStatus.TERMINATED, ContractStatus.SETTLED]),
                name="contract_ended_when_over",
            ),
            models.CheckConstraint(
                condition=Q(settled_at__isnull=True) & ~Q(status=ContractStatus.SETTLED)
                | Q(settled_at__isnull=False, held_minor=0, status=ContractStatus.SETTLED),
                name="contract_settled_holds_nothing",
            ),
            models.CheckConstraint(
                condition=Q(starts_at__gte=strict.EARLIEST, ends_at__lt=strict.LATEST, starts_at__lt=F("ends_at"))
                & Q(created_at__gte=strict.EARLIEST, created_at__lt=strict.LATEST)
                & (Q(ended_at__isnull=True) | Q(ended_at__lt=strict.LATEST))
                & (Q(settled_at__isnull=True) | Q(settled_at__lt=strict.LATEST)),
                name="contract_times_in_range",
            ),
        ]

    def __str__(self) -> str:
        return ids.spell("ctr", self.id)


class ContractSlot(models.Model):
    """A run of hours at one quantity and one price; one run at a time per offering. Append-only."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="slots")
    offering = models.ForeignKey(Offering, on_delete=models.PROTECT, related_name="contract_slots")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    quantity = models.PositiveIntegerField()  # units of capacity, for example cards
    unit = models.CharField(max_length=32)  # the unit of unit-hours, for example card_hours
    price_micros = models.BigIntegerField()  # per unit-hour
    # What of the price is credited for units handed back before their time; none if they cannot be.
    return_credit_ppm = models.PositiveIntegerField(null=True)
    # The same for units that are not needed for a time, and stay the buyer's; none if they cannot be paused.
    pause_credit_ppm = models.PositiveIntegerField(null=True)
    # What the exchange keeps of the price of units that the buyer sells back; none if they cannot be.
    resale_commission_ppm = models.PositiveIntegerField(null=True)
    # What the provider is paid for a unit-hour that was sold back: the price at which they sold it themselves.
    provider_price_micros = models.BigIntegerField(null=True)

    class Meta:
        ordering = ("contract", "offering", "starts_at")
        constraints: ClassVar = [
            ExclusionConstraint(
                name="contract_slot_one_at_a_time",
                expressions=[
                    (F("contract"), RangeOperators.EQUAL),
                    (F("offering"), RangeOperators.EQUAL),
                    (TimeRange("starts_at", "ends_at", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="contract_slot_quantity_above_zero"),
            models.CheckConstraint(condition=Q(price_micros__gte=0), name="contract_slot_price_not_negative"),
            models.CheckConstraint(
                condition=Q(return_credit_ppm__isnull=True) | Q(return_credit_ppm__lte=PPM),
                name="contract_slot_return_credit_is_a_share",
            ),
            models.CheckConstraint(
                condition=Q(pause_credit_ppm__isnull=True) | Q(pause_credit_ppm__lte=PPM),
                name="contract_slot_pause_credit_is_a_share",
            ),
            models.CheckConstraint(
                condition=Q(resale_commission_ppm__isnull=True) | Q(resale_commission_ppm__lte=PPM),
                name="contract_slot_resale_commission_is_a_share",
            ),
            models.CheckConstraint(
                condition=Q(provider_price_micros__isnull=True) | Q(provider_price_micros__gte=0),
                name="contract_slot_provider_price_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(starts_at__gte=strict.EARLIEST, ends_at__lt=strict.LATEST, starts_at__lt=F("ends_at")),
                name="contract_slot_times_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} at {self.price_micros}"


class ContractRelease(models.Model):
    """Units of a run of the schedule that the buyer handed back, from then to then. Append-only.

    The provider owes them no more; of their price `credit_ppm` is credited, the rest stays due.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="releases")
    slot = models.ForeignKey(ContractSlot, on_delete=models.PROTECT, related_name="releases")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    quantity = models.PositiveIntegerField()
    credit_ppm = models.PositiveIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("contract", "id")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(quantity__gt=0, credit_ppm__lte=PPM), name="contract_release_gives_something_back"
            ),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, ends_at__lt=strict.LATEST, starts_at__lt=F("ends_at"))
                & Q(created_at__lte=F("starts_at")),
                name="contract_release_before_its_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} from {self.starts_at}"


class ContractPause(models.Model):
    """Units of a run of the schedule that the buyer does without, from then to then. Append-only.

    The provider keeps them for the buyer and owes no delivery meanwhile; of their price `credit_ppm` is credited. A
    resumption ends it early.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="pauses")
    slot = models.ForeignKey(ContractSlot, on_delete=models.PROTECT, related_name="pauses")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    quantity = models.PositiveIntegerField()
    credit_ppm = models.PositiveIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("contract", "starts_at", "id")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(quantity__gt=0, credit_ppm__lte=PPM), name="contract_pause_stops_something"
            ),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, ends_at__lt=strict.LATEST, starts_at__lt=F("ends_at"))
                & Q(created_at__lte=F("starts_at")),
                name="contract_pause_before_its_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} from {self.starts_at}"


class ContractResumption(models.Model):
    """The buyer takes the units of a pause again from an instant of it on. Append-only."""

    pause = models.OneToOneField(ContractPause, on_delete=models.PROTECT, primary_key=True, related_name="resumption")
    resumes_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(
                    created_at__gte=strict.EARLIEST, resumes_at__lt=strict.LATEST, created_at__lte=F("resumes_at")
                ),
                name="contract_resumption_before_its_time",
            ),
        ]

    def __str__(self) -> str:
        return f"from {self.resumes_at}"


class ContractResale(models.Model):
    """Units of a run of the schedule that the buyer sold back: another contract has taken them over. Append-only.

    The provider owes them under that contract, whose run `sold_as` has the same hours and units at the price of the
    round. Of what is due there, its share is due of the price here as well; and of the price of the round, as far as
    it is due, the buyer is credited all but `commission_ppm`. See billing.rating.resales.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="resales")
    slot = models.ForeignKey(ContractSlot, on_delete=models.PROTECT, related_name="resales")
    sold_as = models.OneToOneField(ContractSlot, on_delete=models.PROTECT, related_name="bought_from")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    quantity = models.PositiveIntegerField()
    price_micros = models.BigIntegerField()  # per unit-hour: what the new buyer pays
    commission_ppm = models.PositiveIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("contract", "starts_at", "id")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(quantity__gt=0, price_micros__gte=0, commission_ppm__lte=PPM),
                name="contract_resale_sells_something",
            ),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, created_at__lt=strict.LATEST)
                & Q(starts_at__gte=strict.EARLIEST, ends_at__lt=strict.LATEST, starts_at__lt=F("ends_at")),
                name="contract_resale_times_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} from {self.starts_at} at {self.price_micros}"


class FeeSchedule(models.Model):
    """The exchange's fees and commissions from an instant on, and what offers credit that state nothing themselves.

    Reference data, append-only.
    """

    version = models.PositiveIntegerField(primary_key=True)
    buyer_fee_ppm = models.PositiveIntegerField()  # of delivered capacity value
    provider_commission_ppm = models.PositiveIntegerField()  # of delivered capacity and metered value
    return_credit_ppm = models.PositiveIntegerField(default=500_000)  # of the price of what is handed back
    pause_credit_ppm = models.PositiveIntegerField(default=200_000)  # of the price of what is paused
    resale_commission_ppm = models.PositiveIntegerField(default=40_000)  # of the price of what is sold back
    effective_from = models.DateTimeField(unique=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(buyer_fee_ppm__lte=PPM, provider_commission_ppm__lte=PPM)
                & Q(return_credit_ppm__lte=PPM, pause_credit_ppm__lte=PPM, resale_commission_ppm__lte=PPM),
                name="fee_schedule_within_whole",
            ),
            models.CheckConstraint(
                condition=Q(effective_from__gte=strict.EARLIEST, effective_from__lt=strict.LATEST),
                name="fee_schedule_time_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"fees {self.version}"


class TaxRate(models.Model):
    """A jurisdiction's rate for a tax category while it is in force. Reference data.

    A category is an EN 16931 code: S standard, Z zero rated, E exempt, O outside the scope of VAT.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    jurisdiction = models.CharField(max_length=2)  # ISO 3166-1 alpha-2
    category = models.CharField(max_length=2)
    rate_ppm = models.PositiveIntegerField()
    effective_from = models.DateTimeField()
    effective_to = models.DateTimeField(null=True)  # excluded; none while it holds
    source = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            ExclusionConstraint(
                name="tax_rate_one_at_a_time",
                expressions=[
                    (F("jurisdiction"), RangeOperators.EQUAL),
                    (F("category"), RangeOperators.EQUAL),
                    (TimeRange("effective_from", "effective_to", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=Q(category__in=["S", "Z", "E", "AE", "O"]), name="tax_rate_category_known"
            ),
            models.CheckConstraint(condition=Q(rate_ppm__lte=PPM), name="tax_rate_within_whole"),
            models.CheckConstraint(condition=Q(category="S") | Q(rate_ppm=0), name="tax_rate_only_standard_taxes"),
            models.CheckConstraint(
                condition=Q(effective_from__gte=strict.EARLIEST, effective_from__lt=strict.LATEST)
                & (Q(effective_to__isnull=True) | Q(effective_to__gt=F("effective_from"))),
                name="tax_rate_times_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.jurisdiction} {self.category} {self.rate_ppm}"
