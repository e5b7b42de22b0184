"""An order: what a buyer needs, how much of it, when, and the most it may cost; and how it changed."""

from typing import Any

from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids
from accounts.foundation.strict import EARLIEST, LATEST
from accounts.organisations.models import Organisation, User
from accounts.projects.models import Project
from billing.ledger.models import Hold
from exchange.markets.models import Market
from exchange.orders.rules import LIVE, LimitSource, OrderKind, OrderStatus


class Order(models.Model):
    """Demand in a market for units that meet `needs`, delivered inside `[earliest_at, latest_at)`.

    A block wants one constant level, from `quantity_min` to `quantity_max` units, over `hours` hours in a row;
    its limit is an average. An hourly order takes from 0 to `quantity_max` units in every hour, each within the
    limit. `limit_micros` is per unit-hour without fees and tax; `budget_minor` holds for everything together.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="orders")
    buyer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="orders")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="orders")
    placed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="orders", null=True, blank=True)
    kind = models.CharField(max_length=16, choices=[(kind.value, kind.value) for kind in OrderKind])
    quantity_min = models.PositiveIntegerField(null=True, blank=True)
    quantity_max = models.PositiveIntegerField()
    hours = models.PositiveIntegerField(null=True, blank=True)
    earliest_at = models.DateTimeField()
    latest_at = models.DateTimeField()
    single_site = models.BooleanField(default=False)
    needs = models.JSONField(default=dict, blank=True)
    limit_micros = models.BigIntegerField()
    limit_source = models.CharField(max_length=16, choices=[(source.value, source.value) for source in LimitSource])
    currency = models.CharField(max_length=3)
    budget_minor = models.BigIntegerField(null=True, blank=True)
    extras_reserve_minor = models.BigIntegerField(default=0)
    rolls_over = models.BooleanField(default=False)
    hold = models.OneToOneField(Hold, on_delete=models.PROTECT, related_name="order")
    # The terms as they were accepted; a later fee or tax schedule does not touch this order.
    terms_version = models.PositiveIntegerField()
    fee_version = models.PositiveIntegerField()
    buyer_fee_ppm = models.PositiveIntegerField()
    tax_rate_ppm = models.PositiveIntegerField()
    seq = models.BigIntegerField(unique=True)
    revision = models.PositiveIntegerField(default=1)
    status = models.CharField(max_length=16, choices=[(status.value, status.value) for status in OrderStatus])
    total_unit_hours = models.BigIntegerField()
    filled_unit_hours = models.BigIntegerField(default=0)
    closed_unit_hours = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    revised_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (
            models.Index(
                name="exchange_order_live",
                fields=("market", "seq"),
                condition=Q(closed_at__isnull=True),
            ),
            models.Index(name="exchange_order_of_buyer", fields=("buyer", "-id")),
        )
        constraints = (
            models.CheckConstraint(
                name="exchange_order_status_known",
                condition=Q(status__in=[status.value for status in OrderStatus]),
            ),
            models.CheckConstraint(
                name="exchange_order_closed_says_when",
                condition=Q(status__in=LIVE, closed_at__isnull=True)
                | (~Q(status__in=LIVE) & Q(closed_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="exchange_order_kind_has_its_fields",
                condition=Q(
                    kind=OrderKind.BLOCK.value,
                    quantity_min__gte=1,
                    quantity_min__lte=F("quantity_max"),
                    hours__gte=1,
                )
                | Q(
                    kind=OrderKind.HOURLY.value,
                    quantity_min__isnull=True,
                    hours__isnull=True,
                    single_site=False,
                ),
            ),
            models.CheckConstraint(
                name="exchange_order_quantity_positive",
                condition=Q(quantity_max__gte=1),
            ),
            models.CheckConstraint(
                name="exchange_order_window_in_order",
                condition=Q(
                    earliest_at__lt=F("latest_at"),
                    earliest_at__gte=EARLIEST,
                    latest_at__lt=LATEST,
                ),
            ),
            models.CheckConstraint(
                name="exchange_order_money_in_range",
                condition=Q(limit_micros__gte=1, extras_reserve_minor__gte=0)
                & (Q(budget_minor__isnull=True) | Q(budget_minor__gte=1)),
            ),
            models.CheckConstraint(
                name="exchange_order_limit_source_known",
                condition=Q(limit_source__in=[source.value for source in LimitSource]),
            ),
            models.CheckConstraint(
                name="exchange_order_hours_add_up",
                condition=Q(
                    filled_unit_hours__gte=0,
                    closed_unit_hours__gte=0,
                    total_unit_hours__gte=F("filled_unit_hours") + F("closed_unit_hours"),
                ),
            ),
            models.CheckConstraint(
                name="exchange_order_closed_has_none_open",
                condition=Q(closed_at__isnull=True)
                | Q(total_unit_hours=F("filled_unit_hours") + F("closed_unit_hours")),
            ),
            models.CheckConstraint(
                name="exchange_order_filled_says_all",
                condition=(Q(status=OrderStatus.FILLED.value) & Q(filled_unit_hours=F("total_unit_hours")))
                | (~Q(status=OrderStatus.FILLED.value) & ~Q(filled_unit_hours=F("total_unit_hours"))),
            ),
            models.CheckConstraint(
                name="exchange_order_currency_is_code",
                condition=Q(currency__regex=r"^[A-Z]{3}$"),
            ),
            models.CheckConstraint(
                name="exchange_order_times_in_range",
                condition=Q(
                    created_at__gte=EARLIEST,
                    created_at__lt=LATEST,
                    revised_at__gte=F("created_at"),
                    revised_at__lt=LATEST,
                ),
            ),
        )

    def __str__(self) -> str:
        return ids.spell("ord", self.id)

    @property
    def open_unit_hours(self) -> int:
        """Unit-hours that are still wanted."""
        return self.total_unit_hours - self.filled_unit_hours - self.closed_unit_hours

    @property
    def is_all_or_none(self) -> bool:
        """Whether the order takes its whole quantity or nothing."""
        return self.quantity_min == self.quantity_max

    @property
    def has_synthetic_limit(self) -> bool:
        """Whether the limit was drawn from a distribution, not named by a buyer."""
        return self.limit_source == LimitSource.SYNTHETIC


class OrderRevision(models.Model):
    """An order as it stood after one change; never altered."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="revisions")
    revision = models.PositiveIntegerField()
    seq = models.BigIntegerField()
    quantity_min = models.PositiveIntegerField(null=True, blank=True)
    quantity_max = models.PositiveIntegerField()
    hours = models.PositiveIntegerField(null=True, blank=True)
    earliest_at = models.DateTimeField()
    latest_at = models.DateTimeField()
    needs = models.JSONField(default=dict, blank=True)
    limit_micros = models.BigIntegerField()
    budget_minor = models.BigIntegerField(null=True, blank=True)
    extras_reserve_minor = models.BigIntegerField()
    rolls_over = models.BooleanField()
    actor_label = models.CharField(max_length=200)
    accepted_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                name="exchange_orderrevision_numbered_once",
                fields=("order", "revision"),
            ),
            models.CheckConstraint(name="exchange_orderrevision_from_one", condition=Q(revision__gte=1)),
        )

    def __str__(self) -> str:
        return f"{self.order_id} revision {self.revision}"

    # The fields of an order that a revision records.
    RECORDED = (
        "revision",
        "seq",
        "quantity_min",
        "quantity_max",
        "hours",
        "earliest_at",
        "latest_at",
        "needs",
        "limit_micros",
        "budget_minor",
        "extras_reserve_minor",
        "rolls_over",
    )

    @classmethod
    def fields_of(cls, order: Order) -> dict[str, Any]:
        """Return what a revision records of an order as it stands."""
        return {name: getattr(order, name) for name in cls.RECORDED}
