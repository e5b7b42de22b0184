"""Reads of the reference data; public to everyone who is signed in."""

from django.db.models import QuerySet

from catalog.taxonomy.errors import UnknownResourceType
from catalog.taxonomy.models import ResourceType, ServiceClass


def service_classes() -> QuerySet[ServiceClass]:
    """Every service class with its forms."""
    return ServiceClass.objects.select_related("version").prefetch_related("forms").order_by("code")


def resource_types() -> QuerySet[ResourceType]:
    """Every resource type with its class, version and accelerator."""
    return ResourceType.objects.select_related("service_class", "version", "accelerator").order_by("code")


def resource_type(code: str) -> ResourceType:
    """Return one resource type by its code; raises UnknownResourceType."""
    found = resource_types().filter(code=code).first()
    if found is None:
        raise UnknownResourceType(code)
    return found
