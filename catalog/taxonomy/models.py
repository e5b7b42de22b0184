"""Reference data as rows: each row belongs to a version that says since when it holds and where it is from."""

from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids, strict
from catalog.taxonomy.rules import Confidence, Form, ServiceClassCode


class ReferenceVersion(models.Model):
    """One edition of a set of reference data: from when it holds, and its source."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    name = models.CharField(max_length=64)
    version = models.CharField(max_length=32)
    effective_from = models.DateTimeField()
    source = models.TextField()

    class Meta:
        ordering = ("name", "effective_from")
        constraints = (
            models.UniqueConstraint(fields=("name", "version"), name="catalog_reference_version_once"),
            models.CheckConstraint(
                condition=Q(
                    effective_from__gte=strict.EARLIEST,
                    effective_from__lt=strict.LATEST,
                ),
                name="catalog_reference_version_in_our_time",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class ServiceClass(models.Model):
    """A class of service such as AI acceleration."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    code = models.CharField(max_length=32, unique=True)
    name_en = models.CharField(max_length=80)
    name_zh = models.CharField(max_length=80)
    description = models.TextField()
    version = models.ForeignKey(ReferenceVersion, on_delete=models.PROTECT)

    class Meta:
        ordering = ("code",)
        constraints = (
            models.CheckConstraint(
                condition=Q(code__in=tuple(ServiceClassCode)),
                name="catalog_service_class_code_known",
            ),
        )

    def __str__(self) -> str:
        return self.code


class ServiceForm(models.Model):
    """A form in which a class is sold, with the unit that it is counted in."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    service_class = models.ForeignKey(ServiceClass, on_delete=models.PROTECT, related_name="forms")
    form = models.CharField(max_length=16)
    unit = models.CharField(max_length=32)
    name_en = models.CharField(max_length=80)
    name_zh = models.CharField(max_length=80)

    class Meta:
        ordering = ("service_class", "form")
        constraints = (
            models.UniqueConstraint(fields=("service_class", "form"), name="catalog_service_form_once"),
            models.CheckConstraint(condition=Q(form__in=tuple(Form)), name="catalog_service_form_known"),
        )

    def __str__(self) -> str:
        return f"{self.service_class_id} {self.form}"


class ResourceType(models.Model):
    """A kind of thing that is sold by the unit: an accelerator card, a machine, a core, a store, a model's tokens.

    Performance is dense peak per unit of the form; empty means not published, never zero. A machine names the
    accelerator inside it and how many there are.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    code = models.CharField(max_length=64, unique=True)
    service_class = models.ForeignKey(ServiceClass, on_delete=models.PROTECT, related_name="resource_types")
    form = models.CharField(max_length=16)
    name = models.CharField(max_length=80)
    vendor = models.CharField(max_length=80, blank=True)
    memory_gb = models.PositiveIntegerField(null=True, blank=True)
    cores = models.PositiveIntegerField(null=True, blank=True)
    accelerator = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="machines")
    accelerators_per_unit = models.PositiveSmallIntegerField(null=True, blank=True)
    fp16_dense_tflops = models.DecimalField(max_digits=10, decimal_places=3, null=True, blank=True)
    int8_dense_tops = models.DecimalField(max_digits=10, decimal_places=3, null=True, blank=True)
    memory_bandwidth_gbps = models.DecimalField(max_digits=10, decimal_places=3, null=True, blank=True)
    interconnect = models.CharField(max_length=64, blank=True)
    interconnect_gbps = models.PositiveIntegerField(null=True, blank=True)
    tdp_watts = models.PositiveIntegerField(null=True, blank=True)
    confidence = models.CharField(max_length=16)
    note = models.TextField(blank=True)
    version = models.ForeignKey(ReferenceVersion, on_delete=models.PROTECT)

    class Meta:
        ordering = ("code",)
        constraints = (
            models.CheckConstraint(
                condition=Q(form__in=tuple(Form)),
                name="catalog_resource_type_form_known",
            ),
            models.CheckConstraint(
                condition=Q(confidence__in=tuple(Confidence)),
                name="catalog_resource_type_confidence_known",
            ),
            models.CheckConstraint(
                condition=Q(accelerator__isnull=True, accelerators_per_unit__isnull=True)
                | Q(accelerator__isnull=False, accelerators_per_unit__gte=1),
                name="catalog_resource_type_accelerators_counted",
            ),
            models.CheckConstraint(
                condition=~Q(accelerator=F("id")),
                name="catalog_resource_type_holds_another_accelerator",
            ),
            models.CheckConstraint(
                condition=(Q(memory_gb__isnull=True) | Q(memory_gb__gt=0))
                & (Q(fp16_dense_tflops__isnull=True) | Q(fp16_dense_tflops__gt=0, fp16_dense_tflops__lt=10**7)),
                name="catalog_resource_type_unknown_is_empty",
            ),
        )

    def __str__(self) -> str:
        return self.code
