"""A market: one set of rules for one family of goods in one currency."""

from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids
from accounts.foundation.strict import EARLIEST, LATEST
from exchange.markets import rules
from exchange.markets.calendar import Calendar
from exchange.markets.rules import MarketStatus, MarketTerms


class Market(models.Model):
    """The rules under which offers and orders of one kind meet at a gate.

    Prices are micros of the currency per unit and hour, without fees and tax; quantities are units
    (cards, nodes, machines) in whole lots; deliveries start and end on the slot grid.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    name_zh = models.CharField(max_length=120, blank=True)
    service_class = models.SlugField(max_length=40)
    unit = models.CharField(max_length=40)
    currency = models.CharField(max_length=3)
    timezone = models.CharField(max_length=60)
    epoch = models.DateField()
    grid_slots = models.PositiveSmallIntegerField()
    lot_units = models.PositiveIntegerField()
    tick_micros = models.BigIntegerField()
    collar_min_micros = models.BigIntegerField()
    collar_max_micros = models.BigIntegerField()
    collar_percent = models.PositiveIntegerField(null=True, blank=True)
    gate_interval_seconds = models.PositiveIntegerField()
    gate_offset_seconds = models.PositiveIntegerField()
    no_cancel_seconds = models.PositiveIntegerField()
    lead_seconds = models.PositiveIntegerField()
    horizon_hours = models.PositiveIntegerField()
    quote_seconds = models.PositiveIntegerField(default=120)
    quotes_at_once = models.PositiveIntegerField(default=3)
    quoted_unit_hours_at_most = models.BigIntegerField(default=10_000)
    # Announced changes of when its gates stand (markets.calendar), in order; what was announced is never taken back.
    calendars = models.JSONField(default=list)
    rules_version = models.PositiveIntegerField()
    status = models.CharField(max_length=16, choices=[(status.value, status.value) for status in MarketStatus])
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("code",)
        constraints = (
            models.CheckConstraint(
                name="exchange_market_status_known",
                condition=Q(status__in=[status.value for status in MarketStatus]),
            ),
            models.CheckConstraint(
                name="exchange_market_grid_divides_day",
                condition=Q(grid_slots__in=rules.GRID_STEPS),
            ),
            models.CheckConstraint(
                name="exchange_market_lot_and_tick_positive",
                condition=Q(lot_units__gte=1, tick_micros__gte=1),
            ),
            models.CheckConstraint(
                name="exchange_market_collar_ordered",
                condition=Q(
                    collar_min_micros__gte=0,
                    collar_max_micros__gte=F("collar_min_micros"),
                    collar_max_micros__gt=0,
                ),
            ),
            models.CheckConstraint(
                name="exchange_market_collar_percent_bounded",
                condition=Q(collar_percent__isnull=True)
                | Q(collar_percent__gte=1, collar_percent__lte=rules.MAX_COLLAR_PERCENT),
            ),
            models.CheckConstraint(
                name="exchange_market_gates_ordered",
                condition=Q(
                    gate_offset_seconds__lt=F("gate_interval_seconds"),
                    no_cancel_seconds__lt=F("gate_interval_seconds"),
                ),
            ),
            models.CheckConstraint(
                name="exchange_market_horizon_positive",
                condition=Q(horizon_hours__gte=1),
            ),
            models.CheckConstraint(
                name="exchange_market_quotes_bounded",
                condition=Q(
                    quote_seconds__gte=rules.QUOTE_SECONDS[0],
                    quote_seconds__lte=rules.QUOTE_SECONDS[1],
                    quoted_unit_hours_at_most__gte=1,
                ),
            ),
            models.CheckConstraint(
                name="exchange_market_currency_is_code",
                condition=Q(currency__regex=r"^[A-Z]{3}$"),
            ),
            models.CheckConstraint(
                name="exchange_market_created_in_range",
                condition=Q(created_at__gte=EARLIEST, created_at__lt=LATEST),
            ),
        )

    def __str__(self) -> str:
        return self.code

    @property
    def terms(self) -> MarketTerms:
        """The market's rules as plain values."""
        return MarketTerms(
            currency=self.currency,
            timezone=self.timezone,
            epoch=self.epoch,
            grid_slots=self.grid_slots,
            lot_units=self.lot_units,
            tick_micros=self.tick_micros,
            collar_min_micros=self.collar_min_micros,
            collar_max_micros=self.collar_max_micros,
            collar_percent=self.collar_percent,
            gate_interval_seconds=self.gate_interval_seconds,
            gate_offset_seconds=self.gate_offset_seconds,
            no_cancel_seconds=self.no_cancel_seconds,
            lead_seconds=self.lead_seconds,
            horizon_hours=self.horizon_hours,
            quote_seconds=self.quote_seconds,
            quotes_at_once=self.quotes_at_once,
            quoted_unit_hours_at_most=self.quoted_unit_hours_at_most,
            calendars=tuple(Calendar.from_document(document) for document in self.calendars),
        )
