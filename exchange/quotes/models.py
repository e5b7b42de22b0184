"""A quote, the offers it draws on, and the units it holds of each."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids
from accounts.foundation.strict import EARLIEST, LATEST
from accounts.organisations.models import Organisation, User
from accounts.projects.models import Project
from billing.ledger.models import Hold
from exchange.markets.models import Market
from exchange.offers.models import Offer
from exchange.quotes.rules import QuoteStatus


class Quote(models.Model):
    """`quantity` units that meet `needs` in every hour of `[starts_at, ends_at)`, at a firm all-in price.

    While it is open its units are held in capacity. The funds are held when it is accepted. `value_minor`,
    `fee_minor` and `tax_minor` are the sums over its parts.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="quotes")
    buyer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="quotes")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="quotes")
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="quotes", null=True, blank=True)
    status = models.CharField(max_length=16, choices=[(status.value, status.value) for status in QuoteStatus])
    quantity = models.PositiveIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    unit_hours = models.PositiveBigIntegerField()  # quantity times hours
    single_site = models.BooleanField(default=False)
    needs = models.JSONField(default=dict, blank=True)
    currency = models.CharField(max_length=3)
    budget_minor = models.BigIntegerField(null=True, blank=True)
    # The price, and the terms it was made from; a later fee or tax schedule does not touch it.
    value_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()
    terms_version = models.PositiveIntegerField()
    fee_version = models.PositiveIntegerField()
    buyer_fee_ppm = models.PositiveIntegerField()
    tax_rate_ppm = models.PositiveIntegerField()
    hold = models.OneToOneField(Hold, on_delete=models.PROTECT, related_name="quote", null=True, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["expires_at"], condition=Q(closed_at__isnull=True), name="quote_open"),
            models.Index(fields=["buyer", "-id"], name="quote_of_buyer"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=[status.value for status in QuoteStatus]), name="quote_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status=QuoteStatus.OPEN, closed_at__isnull=True)
                | (~Q(status=QuoteStatus.OPEN) & Q(closed_at__isnull=False)),
                name="quote_closed_says_when",
            ),
            models.CheckConstraint(
                condition=Q(status=QuoteStatus.ACCEPTED, hold__isnull=False)
                | (~Q(status=QuoteStatus.ACCEPTED) & Q(hold__isnull=True)),
                name="quote_accepted_holds_funds",
            ),
            # Accepted before its last moment; expired not before it.
            models.CheckConstraint(
                condition=~Q(status=QuoteStatus.ACCEPTED) | Q(closed_at__lt=F("expires_at")),
                name="quote_accepted_in_time",
            ),
            models.CheckConstraint(
                condition=~Q(status=QuoteStatus.EXPIRED) | Q(closed_at__gte=F("expires_at")),
                name="quote_expired_in_time",
            ),
            models.CheckConstraint(condition=Q(quantity__gte=1, unit_hours__gte=1), name="quote_asks_for_something"),
            models.CheckConstraint(
                condition=Q(starts_at__lt=F("ends_at"), starts_at__gte=EARLIEST, ends_at__lt=LATEST),
                name="quote_window_in_order",
            ),
            models.CheckConstraint(
                condition=Q(created_at__gte=EARLIEST, expires_at__gt=F("created_at"), expires_at__lt=LATEST),
                name="quote_times_in_range",
            ),
            models.CheckConstraint(
                condition=Q(value_minor__gte=0, fee_minor__gte=0, tax_minor__gte=0)
                & (
                    Q(budget_minor__isnull=True)
                    | Q(budget_minor__gte=F("value_minor") + F("fee_minor") + F("tax_minor"))
                ),
                name="quote_within_its_budget",
            ),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="quote_currency_is_code"),
        ]

    def __str__(self) -> str:
        return ids.spell("qte", self.id)

    @property
    def total_minor(self) -> int:
        """The price with fee and tax: what acceptance holds."""
        return self.value_minor + self.fee_minor + self.tax_minor


class QuotePart(models.Model):
    """What a quote draws from one offer at its instant price; accepted, it is one contract. Append-only."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    quote = models.ForeignKey(Quote, on_delete=models.PROTECT, related_name="parts")
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="quote_parts")
    price_micros = models.BigIntegerField()  # per unit-hour
    reserve_micros = models.BigIntegerField()
    value_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["quote", "offer"], name="quote_part_once"),
            models.CheckConstraint(
                condition=Q(reserve_micros__gte=0, price_micros__gte=F("reserve_micros")),
                name="quote_part_pays_the_reserve",
            ),
            models.CheckConstraint(
                condition=Q(value_minor__gte=0, fee_minor__gte=0, tax_minor__gte=0), name="quote_part_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quote_id} of {self.offer_id}"

    @property
    def total_minor(self) -> int:
        """The part's price with fee and tax."""
        return self.value_minor + self.fee_minor + self.tax_minor


class QuoteLine(models.Model):
    """A run of hours of a part with one quantity; accepted, it is one trade. Append-only."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    part = models.ForeignKey(QuotePart, on_delete=models.PROTECT, related_name="lines")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    quantity = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["part", "starts_at"], name="quote_line_once"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="quote_line_holds_something"),
            models.CheckConstraint(
                condition=Q(starts_at__lt=F("ends_at"), starts_at__gte=EARLIEST, ends_at__lt=LATEST),
                name="quote_line_window_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} from {self.starts_at.isoformat()}"
