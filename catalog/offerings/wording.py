"""Needs as a person reads them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from django.utils.translation import gettext as _

from catalog.offerings.needs import Needs
from catalog.sites.models import Hub, Metro
from catalog.taxonomy.models import ResourceType

# Proper names of fabrics; they are the same in every language.
FABRIC_NAMES: Final[Mapping[str, str]] = {
    "roce": "RoCE",
    "ib": "InfiniBand",
    "nvlink": "NVLink",
    "ethernet": "Ethernet",
    "none": "None",
}


def in_words(needs: Needs) -> list[tuple[str, str]]:
    """Return what is needed as pairs of a label and a value with its unit; empty when anything will do."""
    return [(label, value) for _key, label, value in _labelled(needs)]


def by_key(needs: Needs) -> dict[str, str]:
    """Return each need as one phrase, such as `Memory: at least 500 GB`, by its key in documents."""
    return {key: f"{label}: {value}" for key, label, value in _labelled(needs)}


def _labelled(needs: Needs) -> Iterator[tuple[str, str, str]]:
    if needs.models:
        names = dict(ResourceType.objects.filter(code__in=needs.models).values_list("code", "name"))
        yield "model", _("Model"), _either(needs.models, names)
    if needs.min_memory_gb is not None:
        yield "min_mem_gb", _("Memory"), _("at least %(value)s GB") % {"value": needs.min_memory_gb}
    if needs.min_tflops is not None:
        yield "min_tflops", _("Dense FP16"), _("at least %(value)s TFLOPS") % {"value": needs.min_tflops}
    if needs.regions:
        names = dict(Hub.objects.filter(code__in=needs.regions).values_list("code", "name_en"))
        yield "region", _("Hub"), _either(needs.regions, names)
    if needs.max_latency is not None:
        metro = Metro.objects.filter(code=needs.max_latency.metro).values_list("name_en", flat=True).first()
        near = {"metro": metro or needs.max_latency.metro, "value": needs.max_latency.ms}
        yield "max_latency", _("Round trip"), _("at most %(value)s ms to %(metro)s") % near
    if needs.min_green_percent is not None:
        yield "min_green_pct", _("Green power"), _("at least %(value)s %%") % {"value": needs.min_green_percent}
    if needs.min_security is not None:
        yield "min_security", _("Protection level"), _("at least %(value)s") % {"value": needs.min_security}
    if needs.interconnects:
        yield "interconnect", _("Fabric"), _either(needs.interconnects, FABRIC_NAMES)


def _either(codes: Iterable[str], names: Mapping[str, str]) -> str:
    """Join choices: any one of them will do. A code without a name stands for itself."""
    return _(" or ").join(names.get(code, code) for code in codes)
