"""A scheduled round, the book frozen at its gate, and its one outcome."""

from typing import ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids
from accounts.foundation.strict import EARLIEST, LATEST
from exchange.markets.models import Market
from exchange.rounds.rules import RoundStatus, VoidState

DIGEST_LENGTH: Final = 64  # SHA-256 in hexadecimal
VOID_REASON_CHARACTERS: Final = 500


class Round(models.Model):
    """One row per scheduled gate of a market, whether it ran or not."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="rounds")
    scheduled_at = models.DateTimeField()  # the gate
    locks_at = models.DateTimeField()  # the no-cancel phase begins
    # Before this nothing of what it decides binds or is seen; empty on rounds from before calendars said so.
    publishes_at = models.DateTimeField(null=True)
    status = models.CharField(max_length=16, choices=[(s.value, s.value) for s in RoundStatus])
    degraded = models.BooleanField(default=False)
    rules_version = models.PositiveIntegerField()
    void_reason = models.CharField(max_length=VOID_REASON_CHARACTERS, default="", blank=True)
    # How late the gate was run; a newcomer and the operator see it on the round.
    late_seconds = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    locked_at = models.DateTimeField(null=True)
    gated_at = models.DateTimeField(null=True)
    cleared_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["market", "scheduled_at"], name="round_once_per_gate"),
            models.CheckConstraint(
                condition=Q(status__in=[s.value for s in RoundStatus]), name="round_status_is_known"
            ),
            models.CheckConstraint(condition=Q(locks_at__lte=F("scheduled_at")), name="round_locks_before_its_gate"),
            models.CheckConstraint(
                condition=Q(scheduled_at__gte=EARLIEST, scheduled_at__lt=LATEST), name="round_gate_in_range"
            ),
            models.CheckConstraint(
                condition=Q(status=RoundStatus.VOID, voided_at__isnull=False)
                | (~Q(status=RoundStatus.VOID) & Q(voided_at__isnull=True)),
                name="round_void_has_its_instant",
            ),
            models.CheckConstraint(
                condition=~Q(status=RoundStatus.VOID) | ~Q(void_reason=""), name="round_void_has_a_reason"
            ),
            models.CheckConstraint(
                condition=~Q(status=RoundStatus.PUBLISHED) | Q(published_at__isnull=False),
                name="round_published_has_its_instant",
            ),
            models.CheckConstraint(
                condition=Q(publishes_at__isnull=True) | Q(publishes_at__gte=F("scheduled_at")),
                name="round_publishes_after_its_gate",
            ),
            models.CheckConstraint(
                condition=Q(publishes_at__isnull=True)
                | Q(published_at__isnull=True)
                | Q(published_at__gte=F("publishes_at")),
                name="round_published_at_its_time",
            ),
            # One book at a time: the next gate waits until this one's trades are written.
            models.UniqueConstraint(
                fields=["market"],
                condition=Q(status__in=[RoundStatus.GATED, RoundStatus.CLEARING, RoundStatus.CLEARED]),
                name="round_one_in_progress",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["market", "status", "scheduled_at"], name="round_by_market_and_status")
        ]

    def __str__(self) -> str:
        return ids.spell("rnd", self.id)


class RoundVoidRequest(models.Model):
    """One person's wish to give a round up, and what another one decided."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="void_requests")
    reason = models.CharField(max_length=VOID_REASON_CHARACTERS)
    state = models.CharField(max_length=16, choices=[(s.value, s.value) for s in VoidState])
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in VoidState]), name="void_request_state_known"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="void_request_has_a_reason"),
            models.CheckConstraint(
                condition=Q(state=VoidState.ASKED, decided_by__isnull=True, decided_at__isnull=True)
                | (~Q(state=VoidState.ASKED) & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="void_request_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(state=VoidState.CONFIRMED) | ~Q(decided_by=F("requested_by")),
                name="void_request_takes_two_people",
            ),
            models.UniqueConstraint(
                fields=["round"], condition=Q(state=VoidState.ASKED), name="void_request_one_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state}: give {self.round_id} up"


class RoundSnapshot(models.Model):
    """The book as it stood at the gate: canonical text, named by its digest. Append-only."""

    round = models.OneToOneField(Round, primary_key=True, on_delete=models.PROTECT, related_name="snapshot")
    text = models.TextField()
    digest = models.CharField(max_length=DIGEST_LENGTH)
    # Of the book as it is published, names blinded: said at the gate, before anything is decided.
    public_digest = models.CharField(max_length=DIGEST_LENGTH, default="")
    # Blinds ids in the published book; 32 random bytes drawn at the gate.
    salt = models.BinaryField(max_length=32)
    gate_seq = models.BigIntegerField()  # the last acceptance number in the book, 0 for an empty one
    first_slot = models.IntegerField()  # delivery horizon [first_slot, end_slot) on the market's grid
    end_slot = models.IntegerField()
    left_out = models.JSONField(default=dict)  # open orders and offers that are not in the book, with the reason
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(first_slot__lte=F("end_slot")), name="snapshot_horizon_is_ordered"),
            models.CheckConstraint(condition=Q(gate_seq__gte=0), name="snapshot_gate_seq_not_negative"),
        ]

    def __str__(self) -> str:
        return f"the book {self.digest}"


class RoundOutcome(models.Model):
    """The one verified result of a round, with the proof of its bound. Append-only."""

    # The primary key is the round: a second committed outcome cannot exist.
    round = models.OneToOneField(Round, primary_key=True, on_delete=models.PROTECT, related_name="outcome")
    snapshot_digest = models.CharField(max_length=DIGEST_LENGTH)
    text = models.TextField()  # prices and trades, canonical JSON (the public outcome format)
    digest = models.CharField(max_length=DIGEST_LENGTH)
    public_digest = models.CharField(max_length=DIGEST_LENGTH, default="")  # of the outcome as it is published
    certificate = models.TextField()  # price vectors that prove the bound, canonical JSON
    engine_version = models.CharField(max_length=100)
    rules_version = models.PositiveIntegerField()
    welfare_micros = models.DecimalField(max_digits=30, decimal_places=0)
    bound_micros = models.DecimalField(max_digits=30, decimal_places=0)
    record = models.JSONField()  # what the engine says beside prices and trades: rejected blocks, residuals, search
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(bound_micros__gte=F("welfare_micros")), name="outcome_bound_holds"),
            models.CheckConstraint(condition=Q(welfare_micros__gte=0), name="outcome_welfare_not_negative"),
        ]

    def __str__(self) -> str:
        return f"the outcome {self.digest}"


class RoundPrice(models.Model):
    """One price of a cell over a run of hours, as a round published it. Append-only."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="prices")
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="prices")
    cell = models.CharField(max_length=120)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    price_micros = models.BigIntegerField()  # per unit-hour
    traded_unit_hours = models.BigIntegerField()  # 0 where the price is only what a trade would have cost
    published_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["round", "cell", "starts_at"], name="round_price_once"),
            models.CheckConstraint(
                condition=Q(starts_at__lt=F("ends_at"), starts_at__gte=EARLIEST, ends_at__lt=LATEST),
                name="round_price_window_in_order",
            ),
            models.CheckConstraint(
                condition=Q(price_micros__gte=0, traded_unit_hours__gte=0), name="round_price_not_negative"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["market", "cell", "starts_at"], name="round_price_of_cell"),
            models.Index(
                fields=["market", "published_at"], condition=Q(traded_unit_hours__gt=0), name="round_price_traded"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cell} {self.price_micros}"
