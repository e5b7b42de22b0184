"""Capacity: one row per offering and hour says how many units there are and who has a claim on them."""

from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids
from accounts.foundation.strict import EARLIEST, LATEST
from catalog.offerings.models import Offering


class CapacitySlot(models.Model):
    """The units of one offering in one hour: listed, and of these offered in a market, held and sold.

    The constraint has the last word against overselling: whoever claims units updates this row.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    offering = models.ForeignKey(Offering, on_delete=models.PROTECT, related_name="capacity_slots")
    starts_at = models.DateTimeField()
    listed = models.PositiveIntegerField()
    offered = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0)
    sold = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                name="exchange_capacity_one_row_per_hour",
                fields=("offering", "starts_at"),
            ),
            models.CheckConstraint(
                name="exchange_capacity_never_oversold",
                condition=Q(listed__gte=F("offered") + F("held") + F("sold")),
            ),
            models.CheckConstraint(
                name="exchange_capacity_not_negative",
                condition=Q(listed__gte=0, offered__gte=0, held__gte=0, sold__gte=0),
            ),
            models.CheckConstraint(
                name="exchange_capacity_starts_in_range",
                condition=Q(starts_at__gte=EARLIEST, starts_at__lt=LATEST),
            ),
        )

    def __str__(self) -> str:
        return f"{self.offering_id} {self.starts_at.isoformat()}"

    @property
    def free(self) -> int:
        """Units that nobody has a claim on."""
        return self.listed - self.offered - self.held - self.sold
