"""A trade: an order or a quote bought from one offer, for a run of hours at one price."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids
from accounts.foundation.strict import EARLIEST, LATEST
from accounts.organisations.models import Organisation
from billing.contracts.models import Contract
from exchange.markets.models import Market
from exchange.offers.models import Offer
from exchange.orders.models import Order
from exchange.orders.rules import OrderKind
from exchange.quotes.models import Quote
from exchange.rounds.models import Round


class Trade(models.Model):
    """`quantity` units in every hour of `[starts_at, ends_at)` at `price_micros` per unit-hour. Append-only.

    A round decided it for an order, or a quote was accepted: then it has neither round nor order. The limits of both
    sides are copied, so that the database itself can hold the price between them.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="trades")
    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="trades", null=True, blank=True)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="trades", null=True, blank=True)
    quote = models.ForeignKey(Quote, on_delete=models.PROTECT, related_name="trades", null=True, blank=True)
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="trades")
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="trades")
    buyer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="purchases")
    provider = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="sales")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    quantity = models.PositiveIntegerField()
    unit_hours = models.PositiveBigIntegerField()  # quantity times hours
    price_micros = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    order_kind = models.CharField(max_length=16, blank=True, default="")
    order_limit_micros = models.BigIntegerField(null=True, blank=True)
    offer_reserve_micros = models.BigIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            # A second settlement of the same round finds every one of its rows taken.
            models.UniqueConstraint(fields=["round", "order", "offer", "starts_at"], name="trade_once"),
            models.UniqueConstraint(fields=["quote", "offer", "starts_at"], name="trade_once_per_quote"),
            models.CheckConstraint(
                condition=Q(
                    round__isnull=False, order__isnull=False, order_limit_micros__isnull=False, quote__isnull=True
                )
                & ~Q(order_kind="")
                | Q(
                    round__isnull=True,
                    order__isnull=True,
                    order_limit_micros__isnull=True,
                    quote__isnull=False,
                    order_kind="",
                ),
                name="trade_of_a_round_or_a_quote",
            ),
            models.CheckConstraint(condition=Q(quantity__gte=1, unit_hours__gte=1), name="trade_moves_something"),
            models.CheckConstraint(
                condition=Q(starts_at__lt=F("ends_at"), starts_at__gte=EARLIEST, ends_at__lt=LATEST),
                name="trade_window_in_order",
            ),
            models.CheckConstraint(
                condition=Q(created_at__gte=EARLIEST, created_at__lt=LATEST), name="trade_created_in_range"
            ),
            models.CheckConstraint(condition=~Q(buyer=F("provider")), name="trade_has_two_parties"),
            models.CheckConstraint(
                condition=Q(offer_reserve_micros__gte=0, price_micros__gte=F("offer_reserve_micros")),
                name="trade_pays_the_reserve",
            ),
            # A block's limit is an average over its hours and cells: the audit checks it over the whole block.
            models.CheckConstraint(
                condition=~Q(order_kind=OrderKind.HOURLY) | Q(price_micros__lte=F("order_limit_micros")),
                name="trade_within_the_limit",
            ),
            models.CheckConstraint(
                condition=Q(order_kind__in=["", *(kind.value for kind in OrderKind)]), name="trade_order_kind_is_known"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["buyer", "-id"], name="trade_of_buyer"),
            models.Index(fields=["provider", "-id"], name="trade_of_provider"),
        ]

    def __str__(self) -> str:
        return ids.spell("trd", self.id)
