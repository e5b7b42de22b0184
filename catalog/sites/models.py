"""Where capacity stands."""

from django.db import models
from django.db.models import Q

from accounts.foundation import ids, strict
from accounts.organisations.models import Organisation
from catalog.sites.rules import GridConnection, LatencyMetric, SiteStatus
from catalog.taxonomy.models import ReferenceVersion


class Hub(models.Model):
    """A region of the network: one of the eight national hubs, or a region outside of them."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    code = models.CharField(max_length=32, unique=True)
    name_en = models.CharField(max_length=80)
    name_zh = models.CharField(max_length=80)
    national = models.BooleanField(default=False)
    version = models.ForeignKey(ReferenceVersion, on_delete=models.PROTECT, null=True, blank=True)

    class Meta:
        ordering = ("code",)
        constraints = (
            models.CheckConstraint(
                condition=Q(national=False) | Q(version__isnull=False),
                name="catalog_hub_national_has_source",
            ),
        )

    def __str__(self) -> str:
        return self.code


class Cluster(models.Model):
    """A data centre cluster of a hub, with the areas it started in."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    hub = models.ForeignKey(Hub, on_delete=models.PROTECT, related_name="clusters")
    code = models.CharField(max_length=48, unique=True)
    name_en = models.CharField(max_length=120)
    name_zh = models.CharField(max_length=80)
    areas_en = models.JSONField(default=list)
    areas_zh = models.JSONField(default=list)
    version = models.ForeignKey(ReferenceVersion, on_delete=models.PROTECT)

    class Meta:
        ordering = ("code",)

    def __str__(self) -> str:
        return self.code


class Metro(models.Model):
    """A city that buyers measure latency to."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    code = models.CharField(max_length=32, unique=True)
    name_en = models.CharField(max_length=80)
    name_zh = models.CharField(max_length=80)
    version = models.ForeignKey(ReferenceVersion, on_delete=models.PROTECT)

    class Meta:
        ordering = ("code",)

    def __str__(self) -> str:
        return self.code


class Site(models.Model):
    """A data centre. Several providers may have capacity in one; `operator` is who entered and keeps it."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    code = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=120)
    name_zh = models.CharField(max_length=120, blank=True)
    hub = models.ForeignKey(Hub, on_delete=models.PROTECT, related_name="sites")
    cluster = models.ForeignKey(Cluster, on_delete=models.PROTECT, null=True, blank=True, related_name="sites")
    operator = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="operated_sites")
    status = models.CharField(max_length=16, default=SiteStatus.DRAFT)
    pue = models.DecimalField(max_digits=4, decimal_places=3, null=True, blank=True)
    green_percent = models.PositiveSmallIntegerField(null=True, blank=True)
    security_level = models.PositiveSmallIntegerField()
    grid_connection = models.CharField(max_length=16, default=GridConnection.NONE)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("code",)
        constraints = (
            models.CheckConstraint(
                condition=Q(status__in=tuple(SiteStatus)),
                name="catalog_site_status_known",
            ),
            models.CheckConstraint(
                condition=Q(grid_connection__in=tuple(GridConnection)),
                name="catalog_site_grid_connection_known",
            ),
            models.CheckConstraint(
                # The upper bound also refuses NaN, which PostgreSQL sorts above every number.
                condition=Q(pue__isnull=True) | Q(pue__gte=1, pue__lt=10),
                name="catalog_site_pue_from_1",
            ),
            models.CheckConstraint(
                condition=Q(green_percent__isnull=True) | Q(green_percent__lte=100),
                name="catalog_site_green_percent",
            ),
            models.CheckConstraint(
                condition=Q(security_level__gte=2, security_level__lte=4),
                name="catalog_site_security_level",
            ),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, created_at__lt=strict.LATEST),
                name="catalog_site_in_our_time",
            ),
        )

    def __str__(self) -> str:
        return self.code


class SiteLatency(models.Model):
    """The latency between a site and a metro, in whole milliseconds, rounded up."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="latencies")
    metro = models.ForeignKey(Metro, on_delete=models.PROTECT, related_name="latencies")
    latency_ms = models.PositiveIntegerField()
    metric = models.CharField(max_length=8, default=LatencyMetric.ROUND_TRIP)
    measured_at = models.DateTimeField()

    class Meta:
        ordering = ("site", "metro")
        constraints = (
            models.UniqueConstraint(fields=("site", "metro"), name="catalog_site_latency_once"),
            models.CheckConstraint(
                condition=Q(metric__in=tuple(LatencyMetric)),
                name="catalog_site_latency_metric_known",
            ),
            models.CheckConstraint(condition=Q(latency_ms__gte=1), name="catalog_site_latency_positive"),
        )

    def __str__(self) -> str:
        return f"{self.site_id} {self.metro_id} {self.latency_ms} ms"
