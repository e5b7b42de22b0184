"""Messages of Stripe: one row each, kept for ever. What they say about their object is not kept: it is fetched."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.foundation import ids, strict
from billing.webhooks.rules import EventState


class StripeEvent(models.Model):
    """One message, however often it came and by whichever way."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    stripe_id = models.CharField(max_length=120, unique=True)
    type = models.CharField(max_length=100)
    account = models.CharField(max_length=120, blank=True)  # the connected account that it is about
    object_kind = models.CharField(max_length=60)
    object_id = models.CharField(max_length=120)
    created_at = models.DateTimeField()  # at Stripe
    received_at = models.DateTimeField()
    polled = models.BooleanField(default=False)  # found by looking, not brought
    state = models.CharField(max_length=12)
    handled_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=sorted(member.value for member in EventState)), name="stripe_event_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state=EventState.RECEIVED.value, handled_at__isnull=True)
                | ~Q(state=EventState.RECEIVED.value) & Q(handled_at__isnull=False),
                name="stripe_event_handled_has_its_instant",
            ),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, created_at__lt=strict.LATEST)
                & Q(received_at__gte=strict.EARLIEST, received_at__lt=strict.LATEST),
                name="stripe_event_in_range",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["received_at"], condition=Q(state=EventState.RECEIVED.value), name="stripe_event_open")
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.stripe_id}"
