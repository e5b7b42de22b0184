"""Each order's part in a round, and the working papers of a large book's search."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.foundation import ids
from exchange.auctions.rules import EntryState
from exchange.orders.models import Order
from exchange.rounds.models import Round


class RoundOrder(models.Model):
    """One order's part in one round: frozen with the book, settled once."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="entries")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="rounds")
    state = models.CharField(max_length=16, choices=[(s.value, s.value) for s in EntryState])
    filled_unit_hours = models.BigIntegerField(default=0)
    # A block left out although it would have gained at the published prices; 0 when there is none.
    surplus_micros = models.DecimalField(max_digits=30, decimal_places=0, default=0)
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["round", "order"], name="round_order_once"),
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in EntryState]), name="round_order_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state=EntryState.LOCKED, settled_at__isnull=True)
                | (~Q(state=EntryState.LOCKED) & Q(settled_at__isnull=False)),
                name="round_order_settled_has_its_instant",
            ),
            models.CheckConstraint(condition=Q(filled_unit_hours__gte=0), name="round_order_fill_not_negative"),
            # An order stands in at most one frozen book.
            models.UniqueConstraint(
                fields=["order"], condition=Q(state=EntryState.LOCKED), name="round_order_locked_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} in {self.round_id}"


class SearchWave(models.Model):
    """What a wave of the search for a large book started from. Append-only."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="waves")
    number = models.PositiveIntegerField()
    allocation = models.JSONField()  # before it, by places of the choices of the snapshot's book
    effort = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["round", "number"], name="search_wave_once")]

    def __str__(self) -> str:
        return f"wave {self.number} of {self.round_id}"


class SearchBatch(models.Model):
    """One part of a wave, which anybody may compute. Append-only."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    wave = models.ForeignKey(SearchWave, on_delete=models.PROTECT, related_name="batches")
    place = models.PositiveIntegerField()
    places = models.JSONField()  # the choices that the batch may change
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["wave", "place"], name="search_batch_once")]

    def __str__(self) -> str:
        return f"batch {self.place} of {self.wave_id}"


class SearchAnswer(models.Model):
    """The first answer to a batch; there cannot be another. Append-only."""

    batch = models.OneToOneField(SearchBatch, primary_key=True, on_delete=models.PROTECT, related_name="answer")
    document = models.JSONField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"the answer to {self.batch_id}"
