"""An offer: units of one offering, divisible by lot and hour, at one reserve price; and how it changed."""

from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids
from accounts.foundation.strict import EARLIEST, LATEST
from accounts.organisations.models import Organisation
from billing.contracts.models import Contract
from catalog.offerings.models import Offering
from exchange.markets.models import Market
from exchange.offers.rules import LIVE, OfferStatus


class Offer(models.Model):
    """Supply in a market: `quantity` units of an offering in every hour of `[starts_at, ends_at)`.

    `reserve_micros` is the lowest price per unit-hour that the seller takes, without fees and tax. The seller is the
    provider; of hours that are sold back it is the buyer of `origin`, the contract that they are owed under. The
    provider delivers either, and no capacity is drawn for what is sold back: it is sold already.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="offers")
    offering = models.ForeignKey(Offering, on_delete=models.PROTECT, related_name="offers")
    provider = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="offers")
    origin = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="offers_back", null=True, blank=True)
    quantity = models.PositiveIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reserve_micros = models.BigIntegerField()
    # What it costs beside the auction, at once, by a firm quote; the auction does not read it.
    instant_price_micros = models.BigIntegerField(null=True, blank=True)
    pause_credit_ppm = models.PositiveIntegerField(null=True, blank=True)
    return_credit_ppm = models.PositiveIntegerField(null=True, blank=True)
    # What the exchange keeps of the price when its buyer sells it back.
    resale_commission_ppm = models.PositiveIntegerField(default=40_000)
    seq = models.BigIntegerField(unique=True)
    revision = models.PositiveIntegerField(default=1)
    status = models.CharField(max_length=16, choices=[(status.value, status.value) for status in OfferStatus])
    # While a gate's book holds the offer, nothing about it may change.
    locked_at = models.DateTimeField(null=True, blank=True)
    total_unit_hours = models.BigIntegerField()
    # Held by open quotes: neither in a coming book nor for another quote.
    held_unit_hours = models.BigIntegerField(default=0)
    sold_unit_hours = models.BigIntegerField(default=0)
    closed_unit_hours = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    revised_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (
            models.Index(
                name="exchange_offer_live",
                fields=("market", "seq"),
                condition=Q(closed_at__isnull=True),
            ),
            models.Index(name="exchange_offer_of_provider", fields=("provider", "-id")),
        )
        constraints = (
            models.CheckConstraint(
                name="exchange_offer_status_known",
                condition=Q(status__in=[status.value for status in OfferStatus]),
            ),
            models.CheckConstraint(
                name="exchange_offer_closed_says_when",
                condition=Q(status__in=LIVE, closed_at__isnull=True)
                | (~Q(status__in=LIVE) & Q(closed_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="exchange_offer_hours_add_up",
                condition=Q(
                    held_unit_hours__gte=0,
                    sold_unit_hours__gte=0,
                    closed_unit_hours__gte=0,
                    total_unit_hours__gte=F("held_unit_hours") + F("sold_unit_hours") + F("closed_unit_hours"),
                ),
            ),
            models.CheckConstraint(
                name="exchange_offer_closed_has_none_open",
                condition=Q(closed_at__isnull=True) | Q(total_unit_hours=F("sold_unit_hours") + F("closed_unit_hours")),
            ),
            models.CheckConstraint(name="exchange_offer_quantity_positive", condition=Q(quantity__gte=1)),
            models.CheckConstraint(
                name="exchange_offer_window_in_order",
                condition=Q(
                    starts_at__lt=F("ends_at"),
                    starts_at__gte=EARLIEST,
                    ends_at__lt=LATEST,
                ),
            ),
            models.CheckConstraint(
                name="exchange_offer_prices_not_negative",
                condition=Q(reserve_micros__gte=0)
                & (Q(instant_price_micros__isnull=True) | Q(instant_price_micros__gte=F("reserve_micros"))),
            ),
            models.CheckConstraint(
                name="exchange_offer_credits_are_shares",
                condition=(Q(pause_credit_ppm__isnull=True) | Q(pause_credit_ppm__lte=1_000_000))
                & (Q(return_credit_ppm__isnull=True) | Q(return_credit_ppm__lte=1_000_000))
                & Q(resale_commission_ppm__lte=1_000_000),
            ),
            models.CheckConstraint(
                name="exchange_offer_back_has_no_instant_price",
                condition=Q(origin__isnull=True) | Q(instant_price_micros__isnull=True, held_unit_hours=0),
            ),
            models.CheckConstraint(
                name="exchange_offer_times_in_range",
                condition=Q(
                    created_at__gte=EARLIEST,
                    created_at__lt=LATEST,
                    revised_at__gte=F("created_at"),
                    revised_at__lt=LATEST,
                ),
            ),
        )

    def __str__(self) -> str:
        return ids.spell("off", self.id)

    @property
    def credits_ppm(self) -> tuple[int, int, int]:
        """What of the price is credited for units handed back and for paused ones, and kept of those sold back.

        The credits are 0 where nothing is stated.
        """
        return self.return_credit_ppm or 0, self.pause_credit_ppm or 0, self.resale_commission_ppm

    @property
    def seller_id(self) -> UUID:
        """Whose offer it is: the provider's, or of hours that are sold back their buyer's."""
        return self.provider_id if self.origin is None else self.origin.buyer_id

    @property
    def supply_id(self) -> UUID:
        """What tells contracts of one order apart: the provider, or the contract that hours are sold back from."""
        return self.origin_id or self.provider_id

    @property
    def open_unit_hours(self) -> int:
        """Unit-hours that can still be sold, those that quotes hold among them."""
        return self.total_unit_hours - self.sold_unit_hours - self.closed_unit_hours


class OfferSlot(models.Model):
    """One hour of an offer: the units on offer in it, and how many of them quotes hold and are sold.

    Trades take hours unevenly, so what is left of an offer is known per hour. Over all offers of an offering but those
    of hours that are sold back, `quantity - held - sold` is the capacity row's `offered`, and `held` its `held`.
    """

    id = models.BigAutoField(primary_key=True)
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="slots")
    starts_at = models.DateTimeField()
    quantity = models.PositiveIntegerField()
    held = models.PositiveIntegerField(default=0)
    sold = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                name="exchange_offerslot_one_row_per_hour",
                fields=("offer", "starts_at"),
            ),
            models.CheckConstraint(
                name="exchange_offerslot_never_oversold",
                condition=Q(held__gte=0, sold__gte=0, quantity__gte=F("held") + F("sold")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.offer_id} {self.starts_at.isoformat()}"


class OfferRevision(models.Model):
    """An offer as it stood after one change; never altered."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="revisions")
    revision = models.PositiveIntegerField()
    seq = models.BigIntegerField()
    quantity = models.PositiveIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reserve_micros = models.BigIntegerField()
    instant_price_micros = models.BigIntegerField(null=True, blank=True)
    actor_label = models.CharField(max_length=200)
    accepted_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                name="exchange_offerrevision_numbered_once",
                fields=("offer", "revision"),
            ),
            models.CheckConstraint(name="exchange_offerrevision_from_one", condition=Q(revision__gte=1)),
        )

    def __str__(self) -> str:
        return f"{self.offer_id} revision {self.revision}"

    # The fields of an offer that a revision records.
    RECORDED = ("revision", "seq", "quantity", "starts_at", "ends_at", "reserve_micros", "instant_price_micros")

    @classmethod
    def fields_of(cls, offer: Offer) -> dict[str, Any]:
        """Return what a revision records of an offer as it stands."""
        return {name: getattr(offer, name) for name in cls.RECORDED}
