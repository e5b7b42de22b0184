"""An indication of a round, and the odds of the orders in it."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids
from exchange.orders.models import Order
from exchange.rounds.models import DIGEST_LENGTH, Round


class Indication(models.Model):
    """What the round would have found from a copy of the live book, taken in the no-cancel phase. Append-only.

    `lines` are the cells' prices and volumes, which everybody may know; the copy itself is not kept.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="indications")
    place = models.PositiveSmallIntegerField()  # the first or the second of the phase
    taken_at = models.DateTimeField()
    book_digest = models.CharField(max_length=DIGEST_LENGTH)  # of the copy, with the members' ids
    outcome_digest = models.CharField(max_length=DIGEST_LENGTH)
    engine_version = models.CharField(max_length=100)
    degraded = models.BooleanField()
    matched_unit_hours = models.BigIntegerField()
    lines = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["round", "place"], name="indication_once_a_place"),
            models.CheckConstraint(condition=Q(place__gte=1, matched_unit_hours__gte=0), name="indication_is_counted"),
            models.CheckConstraint(condition=Q(taken_at__lte=F("created_at")), name="indication_taken_before_said"),
        ]

    def __str__(self) -> str:
        return f"indication {self.place} of {self.round_id}"


class OrderOdds(models.Model):
    """What one order would have got: for its own organisation alone. Append-only."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    indication = models.ForeignKey(Indication, on_delete=models.PROTECT, related_name="odds")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="odds")
    filled_unit_hours = models.BigIntegerField()
    wanted_unit_hours = models.BigIntegerField()
    limit_micros = models.BigIntegerField()  # as it stood in the copy
    best_price_micros = models.BigIntegerField(null=True)  # the cheapest a unit-hour that its needs and hours allow

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["indication", "order"], name="order_odds_once"),
            models.CheckConstraint(
                condition=Q(filled_unit_hours__gte=0, wanted_unit_hours__gte=F("filled_unit_hours")),
                name="order_odds_within_what_is_wanted",
            ),
        ]

    def __str__(self) -> str:
        return f"odds of {self.order_id}"
