"""Listings and their prices."""

from django.db import models
from django.db.models import Q

from accounts.foundation import ids, strict
from accounts.organisations.models import Organisation
from catalog.measures.price import MAX_PRICE_MICROS
from catalog.measures.rounding import PPM
from catalog.measures.tariffs import Period, PriceModel, Tariff, Tier
from catalog.offerings.needs import MAX_TFLOPS
from catalog.offerings.rules import Fabric, OfferingStatus, Quality
from catalog.sites.models import Site
from catalog.taxonomy.models import ResourceType


class Offering(models.Model):
    """What a provider sells at a site: a resource type with its fabric and the terms of its service.

    `security_level`, `rated_tflops` (dense FP16 per unit, contractual) and `memory_gb` are stated only where
    they deviate from the site and the resource type; see offerings.rules.cell_code.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    provider = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="offerings")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="offerings")
    resource_type = models.ForeignKey(ResourceType, on_delete=models.PROTECT, related_name="offerings")
    name = models.CharField(max_length=120)
    fabric = models.CharField(max_length=16, default=Fabric.NONE)
    security_level = models.PositiveSmallIntegerField(null=True, blank=True)
    rated_tflops = models.DecimalField(max_digits=10, decimal_places=3, null=True, blank=True)
    memory_gb = models.PositiveIntegerField(null=True, blank=True)
    units_per_machine = models.PositiveSmallIntegerField(default=1)
    sla_credit_ppm = models.PositiveIntegerField(default=100_000)
    sla_availability_ppm = models.PositiveIntegerField(default=990_000)
    qos = models.CharField(max_length=8, default=Quality.NORMAL)
    status = models.CharField(max_length=16, default=OfferingStatus.DRAFT)
    attributes = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    listed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(
                fields=("status", "resource_type", "site"),
                name="catalog_offering_search",
            ),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(status__in=tuple(OfferingStatus)),
                name="catalog_offering_status_known",
            ),
            models.CheckConstraint(condition=Q(qos__in=tuple(Quality)), name="catalog_offering_qos_known"),
            models.CheckConstraint(
                condition=Q(fabric__in=tuple(Fabric)),
                name="catalog_offering_fabric_known",
            ),
            models.CheckConstraint(
                condition=Q(security_level__isnull=True) | Q(security_level__gte=2, security_level__lte=4),
                name="catalog_offering_security_level",
            ),
            models.CheckConstraint(
                condition=(Q(rated_tflops__isnull=True) | Q(rated_tflops__gt=0, rated_tflops__lt=MAX_TFLOPS))
                & (Q(memory_gb__isnull=True) | Q(memory_gb__gt=0)),
                name="catalog_offering_unknown_is_empty",
            ),
            models.CheckConstraint(
                condition=Q(units_per_machine__gte=1, units_per_machine__lte=1024),
                name="catalog_offering_units_per_machine",
            ),
            models.CheckConstraint(
                condition=Q(sla_credit_ppm__lte=PPM, sla_availability_ppm__lte=PPM),
                name="catalog_offering_sla_ppm",
            ),
            models.CheckConstraint(
                condition=Q(listed_at__isnull=False) | ~Q(status__in=(OfferingStatus.LISTED, OfferingStatus.SUSPENDED)),
                name="catalog_offering_listed_since",
            ),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, created_at__lt=strict.LATEST),
                name="catalog_offering_in_our_time",
            ),
        )

    def __str__(self) -> str:
        return self.name


class RateCard(models.Model):
    """The prices of an offering's meters from an instant on; never changed, only followed by the next version."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    offering = models.ForeignKey(Offering, on_delete=models.PROTECT, related_name="rate_cards")
    version = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    effective_from = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("offering", "version")
        constraints = (
            models.UniqueConstraint(fields=("offering", "version"), name="catalog_rate_card_version_once"),
            models.CheckConstraint(condition=Q(version__gte=1), name="catalog_rate_card_version_from_1"),
            models.CheckConstraint(
                condition=Q(currency__regex="^[A-Z]{3}$"),
                name="catalog_rate_card_currency",
            ),
            models.CheckConstraint(
                condition=Q(
                    effective_from__gte=strict.EARLIEST,
                    effective_from__lt=strict.LATEST,
                ),
                name="catalog_rate_card_in_our_time",
            ),
        )

    def __str__(self) -> str:
        return f"{self.offering_id} v{self.version}"


class RateCardItem(models.Model):
    """The price of one meter, in micros of the card's currency per base quantity of the meter's unit.

    `tiers` are [up to, price in micros] in order, the last without an end; see `catalog.measures.tariffs`.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    rate_card = models.ForeignKey(RateCard, on_delete=models.PROTECT, related_name="items")
    meter = models.CharField(max_length=32)
    price_micros = models.BigIntegerField()
    base_quantity = models.PositiveBigIntegerField(default=1)
    model = models.CharField(max_length=16, default=PriceModel.FLAT)
    tiers = models.JSONField(default=list)
    minimum_micros = models.BigIntegerField(default=0)  # of the currency, owed for the meter in each period
    period = models.CharField(max_length=16, default=Period.CONTRACT)
    precision = models.CharField(max_length=8, blank=True)  # of normalised performance

    class Meta:
        ordering = ("rate_card", "meter")
        constraints = (
            models.UniqueConstraint(fields=("rate_card", "meter"), name="catalog_rate_card_item_once"),
            models.CheckConstraint(
                condition=Q(price_micros__gte=0, price_micros__lte=MAX_PRICE_MICROS),
                name="catalog_rate_card_item_price",
            ),
            models.CheckConstraint(
                condition=Q(base_quantity__gte=1),
                name="catalog_rate_card_item_base_quantity",
            ),
            models.CheckConstraint(condition=Q(model__in=tuple(PriceModel)), name="catalog_rate_card_item_model_known"),
            models.CheckConstraint(condition=Q(period__in=tuple(Period)), name="catalog_rate_card_item_period_known"),
            models.CheckConstraint(
                condition=Q(model__in=(PriceModel.GRADUATED, PriceModel.VOLUME)) & ~Q(tiers=[])
                | ~Q(model__in=(PriceModel.GRADUATED, PriceModel.VOLUME)) & Q(tiers=[]),
                name="catalog_rate_card_item_tiers_of_its_model",
            ),
            models.CheckConstraint(
                condition=Q(minimum_micros__gte=0, minimum_micros__lte=MAX_PRICE_MICROS),
                name="catalog_rate_card_item_minimum",
            ),
        )

    def __str__(self) -> str:
        return f"{self.meter} {self.price_micros}"

    @property
    def tariff(self) -> Tariff:
        """The price as a plain value."""
        return Tariff(
            price_micros=self.price_micros,
            base_quantity=self.base_quantity,
            model=PriceModel(self.model),
            tiers=tuple(Tier(up_to, price_micros) for up_to, price_micros in self.tiers),
            minimum_micros=self.minimum_micros,
            period=Period(self.period),
        )
