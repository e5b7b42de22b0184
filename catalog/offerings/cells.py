"""From an offering's rows to its cell; the rows come from queries.with_cells."""

from catalog.offerings import rules
from catalog.offerings.models import Offering
from catalog.offerings.needs import CellAttributes
from catalog.offerings.rules import CellParts
from catalog.taxonomy.rules import unit_of


def parts(offering: Offering) -> CellParts:
    """Return what decides the offering's cell."""
    site, resource_type = offering.site, offering.resource_type
    return CellParts(
        site_code=site.code,
        hub_code=site.hub.code,
        site_security=site.security_level,
        green_percent=site.green_percent,
        type_code=resource_type.code,
        type_memory_gb=resource_type.memory_gb,
        type_tflops=resource_type.fp16_dense_tflops,
        fabric=offering.fabric,
        security=offering.security_level,
        rated_tflops=offering.rated_tflops,
        memory_gb=offering.memory_gb,
    )


def code(offering: Offering) -> str:
    """Return the code of the offering's cell, such as "zjk-1/ascend-910b3/roce"."""
    return rules.cell_code(parts(offering))


def attributes(offering: Offering) -> CellAttributes:
    """Return what the offering's cell is, as needs are checked against it."""
    latencies = [(row.metro.code, row.latency_ms, row.metric) for row in offering.site.latencies.all()]
    return rules.cell_attributes(parts(offering), latencies)


def unit(offering: Offering) -> str:
    """Return the code of the unit that the offering is counted in."""
    return unit_of(offering.resource_type.form)
