"""The reference data as the API shows it."""

from rest_framework import serializers

from accounts.web.serializers import OutputSerializer


class EditionOut(OutputSerializer):
    """The edition that a row belongs to."""

    name = serializers.CharField()
    version = serializers.CharField()
    effective_from = serializers.DateTimeField()
    source = serializers.CharField()  # type: ignore[assignment]  # DRF takes declared fields off the class


class FormOut(OutputSerializer):
    """A form in which a class is sold."""

    form = serializers.CharField()
    unit = serializers.CharField()
    name_en = serializers.CharField()
    name_zh = serializers.CharField()


class ServiceClassOut(OutputSerializer):
    """A class of service."""

    code = serializers.CharField()
    name_en = serializers.CharField()
    name_zh = serializers.CharField()
    description = serializers.CharField()
    forms = FormOut(many=True)
    edition = EditionOut(source="version")


class ResourceTypeOut(OutputSerializer):
    """A resource type; performance is dense and per unit, null where nothing is published."""

    code = serializers.CharField()
    service_class = serializers.CharField(source="service_class.code")
    form = serializers.CharField()
    name = serializers.CharField()
    vendor = serializers.CharField()
    memory_gb = serializers.IntegerField(allow_null=True)
    cores = serializers.IntegerField(allow_null=True)
    accelerator = serializers.CharField(source="accelerator.code", default=None, allow_null=True)
    accelerators_per_unit = serializers.IntegerField(allow_null=True)
    fp16_dense_tflops = serializers.DecimalField(10, 3, allow_null=True)
    int8_dense_tops = serializers.DecimalField(10, 3, allow_null=True)
    memory_bandwidth_gbps = serializers.DecimalField(10, 3, allow_null=True)
    interconnect = serializers.CharField()
    interconnect_gbps = serializers.IntegerField(allow_null=True)
    tdp_watts = serializers.IntegerField(allow_null=True)
    confidence = serializers.CharField()
    note = serializers.CharField()
    edition = EditionOut(source="version")


class UnitOut(OutputSerializer):
    """A unit in which capacity and usage are counted."""

    code = serializers.CharField()
    name_en = serializers.CharField()
    name_zh = serializers.CharField()
    dimension = serializers.CharField()
    aggregation = serializers.CharField()
    auctioned = serializers.BooleanField()
    metered = serializers.BooleanField()
    default_base_quantity = serializers.IntegerField()
    invoice_code = serializers.CharField()
    focus_unit = serializers.CharField()
    note = serializers.CharField()


class UnitsOut(OutputSerializer):
    """Every unit; the list is short and has no pages."""

    data = UnitOut(many=True)  # type: ignore[assignment]  # DRF takes declared fields off the class
