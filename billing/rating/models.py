"""Charges as rows: each usage event rated once, in exact quantities."""

from typing import ClassVar, Final

from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids, strict
from billing.contracts.models import Contract, ContractPause, ContractRelease, ContractResale, ContractSlot
from billing.rating.charges import ChargeKind
from billing.rating.quantities import LARGEST
from catalog.measures.rounding import PPM
from catalog.offerings.models import Offering

DUE_IN_PART: Final = (ChargeKind.RETURNED, ChargeKind.PAUSED)
# Between the buyer and the exchange alone: what was sold back is due under the contract that took it over.
OF_A_RESALE: Final = (ChargeKind.RESOLD, ChargeKind.RESALE)
OF_A_SLOT: Final = (ChargeKind.DELIVERED, ChargeKind.UNDELIVERED, *DUE_IN_PART, ChargeKind.RESOLD)
OF_A_PERIOD: Final = (ChargeKind.TARIFF, ChargeKind.MINIMUM)


class Charge(models.Model):
    """An exact quantity at one price: of a usage event, unreported time, a period, a return, pause or resale.

    `raw_quantity` of `raw_per_unit` is the quantity in units (14,400 card-seconds of 3,600 are 4 card-hours); it
    is negative only where the charge reverses another or follows one that does, or leads from what a period was
    charged to what it costs. Append-only.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    # Of contract, offering and slot a trigger compares all new rows at once with the schedule; see the migrations.
    contract = models.ForeignKey(
        Contract, on_delete=models.PROTECT, related_name="charges", db_constraint=False, db_index=False
    )
    usage_event_id = models.UUIDField(null=True)  # UsageEvent.id; empty for unreported time and for a period
    n = models.PositiveIntegerField()  # counts the charges of one event
    kind = models.CharField(max_length=16)
    offering = models.ForeignKey(
        Offering, on_delete=models.PROTECT, related_name="charges", db_constraint=False, db_index=False
    )
    slot = models.ForeignKey(
        ContractSlot, on_delete=models.PROTECT, null=True, related_name="charges", db_constraint=False, db_index=False
    )
    unit = models.CharField(max_length=32)
    price_micros = models.BigIntegerField()
    base_quantity = models.BigIntegerField()
    raw_quantity = models.DecimalField(max_digits=38, decimal_places=9)
    raw_per_unit = models.PositiveIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="reversed_by")
    # Of what was handed back or paused: which release or pause, and how much of the price stays due.
    release = models.ForeignKey(
        ContractRelease, on_delete=models.PROTECT, null=True, related_name="charges", db_index=False
    )
    pause = models.ForeignKey(
        ContractPause, on_delete=models.PROTECT, null=True, related_name="charges", db_index=False
    )
    # Of what was sold back: which resale, and the charge of the contract that took it over.
    resale = models.ForeignKey(
        ContractResale, on_delete=models.PROTECT, null=True, related_name="charges", db_index=False
    )
    follows = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="followed_by", db_index=False, db_constraint=False
    )
    due_ppm = models.PositiveIntegerField(null=True)
    rated_at = models.DateTimeField()

    class Meta:
        ordering = ("contract", "id")
        indexes: ClassVar = [models.Index(fields=["contract", "id"], name="charge_of_contract")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["usage_event_id", "n"], name="charge_once_per_event"),
            # Undelivered time that nobody reported is counted once, however often the last invoice is tried.
            models.UniqueConstraint(
                fields=["slot", "starts_at"],
                condition=Q(usage_event_id__isnull=True, kind=ChargeKind.UNDELIVERED),
                name="charge_gap_once",
            ),
            models.UniqueConstraint(
                fields=["release", "starts_at"], condition=Q(release__isnull=False), name="charge_once_per_release"
            ),
            models.UniqueConstraint(
                fields=["pause", "starts_at"], condition=Q(pause__isnull=False), name="charge_once_per_pause"
            ),
            models.UniqueConstraint(
                fields=["follows", "kind"], condition=Q(follows__isnull=False), name="charge_followed_once"
            ),
            models.CheckConstraint(
                condition=Q(kind=ChargeKind.RETURNED, release__isnull=False, pause__isnull=True, due_ppm__lte=PPM)
                | Q(kind=ChargeKind.PAUSED, release__isnull=True, pause__isnull=False, due_ppm__lte=PPM)
                | Q(kind__in=OF_A_RESALE, release__isnull=True, pause__isnull=True, due_ppm__lte=PPM)
                | Q(
                    ~Q(kind__in=(*DUE_IN_PART, *OF_A_RESALE)),
                    release__isnull=True,
                    pause__isnull=True,
                    due_ppm__isnull=True,
                ),
                name="charge_due_in_part_says_why",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=OF_A_RESALE, resale__isnull=False, follows__isnull=False)
                | Q(~Q(kind__in=OF_A_RESALE), resale__isnull=True, follows__isnull=True),
                name="charge_of_a_resale_follows_another",
            ),
            models.CheckConstraint(condition=Q(kind__in=list(ChargeKind)), name="charge_kind_known"),
            models.CheckConstraint(
                condition=Q(raw_quantity__gte=0)
                | Q(raw_quantity__lt=0, reverses__isnull=False)
                | Q(kind__in=(*OF_A_PERIOD, *OF_A_RESALE)),
                name="charge_negative_only_reverses",
            ),
            # Also refuses NaN, which PostgreSQL orders above every number.
            models.CheckConstraint(condition=Q(raw_quantity__lt=LARGEST), name="charge_quantity_is_a_number"),
            models.CheckConstraint(
                condition=Q(raw_per_unit__gt=0, base_quantity__gt=0, price_micros__gte=0), name="charge_price_shape"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=OF_A_SLOT, slot__isnull=False) | Q(~Q(kind__in=OF_A_SLOT), slot__isnull=True),
                name="charge_capacity_has_its_slot",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=OF_A_PERIOD, usage_event_id__isnull=True, reverses__isnull=True)
                | Q(~Q(kind__in=(*OF_A_PERIOD, *DUE_IN_PART, *OF_A_RESALE)), usage_event_id__isnull=False)
                | Q(kind=ChargeKind.UNDELIVERED)
                | Q(kind__in=(*DUE_IN_PART, *OF_A_RESALE), usage_event_id__isnull=True),
                name="charge_comes_from_its_event",
            ),
            models.CheckConstraint(
                condition=~Q(kind=ChargeKind.MEASURED) | Q(price_micros=0), name="charge_measured_costs_nothing"
            ),
            models.CheckConstraint(
                condition=Q(starts_at__gte=strict.EARLIEST, ends_at__lt=strict.LATEST, starts_at__lt=F("ends_at"))
                & Q(rated_at__gte=strict.EARLIEST, rated_at__lt=strict.LATEST),
                name="charge_times_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.raw_quantity}/{self.raw_per_unit} {self.unit}"
