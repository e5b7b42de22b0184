"""Whether a cell is what an order asks for."""

from exchange.clearing.book import Attributes, Needs


def satisfies(attributes: Attributes, needs: Needs) -> bool:
    """Return whether the cell meets every need; an attribute that a need refers to and the cell lacks does not."""
    return (
        _is_allowed(attributes.model, needs.model)
        and _is_allowed(attributes.region, needs.region)
        and _is_allowed(attributes.interconnect, needs.interconnect)
        and _is_at_least(attributes.mem_gb, needs.min_mem_gb)
        and _is_at_least(attributes.tflops, needs.min_tflops)
        and _is_at_least(attributes.green_pct, needs.min_green_pct)
        and _is_at_least(attributes.security, needs.min_security)
        and _is_near(attributes, needs)
    )


def _is_allowed(value: str | None, allowed: tuple[str, ...] | None) -> bool:
    return allowed is None or (value is not None and value in allowed)


def _is_at_least(value: int | None, bound: int | None) -> bool:
    return bound is None or (value is not None and value >= bound)


def _is_near(attributes: Attributes, needs: Needs) -> bool:
    if needs.max_latency is None:
        return True
    latency = (attributes.latency_ms or {}).get(needs.max_latency.metro)
    return latency is not None and latency <= needs.max_latency.ms
