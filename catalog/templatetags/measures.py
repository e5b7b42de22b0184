"""Money, prices, quantities and times as templates show them: `{% load measures %}`."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog.measures.money import format_minor
from catalog.measures.price import format_micros
from catalog.measures.units import all_units

register = template.Library()

# The zone of the markets and billing months; storage stays UTC.
SHOWN_ZONE: Final = ZoneInfo("Asia/Shanghai")
_TIME_FORMS: Final = {"day": "%Y-%m-%d", "minutes": "%Y-%m-%d %H:%M", "seconds": "%Y-%m-%d %H:%M:%S"}
_STATE_TONES: Final = {
    "good": {
        "active",
        "filled",
        "paid",
        "published",
        "listed",
        "confirmed",
        "settled",
        "matched",
        "available",
        "posted",
        "explained",
        "adjusted",
        "passes",
    },
    "live": {
        "open",
        "issued",
        "scheduled",
        "acknowledged",
        "provisioning",
        "approved",
        "in_transit",
        "partly_filled",
        "partly_sold",
        "clearing",
    },
    "warn": {
        "locked",
        "gated",
        "cleared",
        "impaired",
        "awaiting",
        "grace",
        "draft",
        "submitted",
        "applied",
        "paused",
        "unmatched",
        "proposed",
        "requested",
        "accruing",
        "due",
        "held",
        "written_off",
        "gone",
    },
    "bad": {
        "rejected",
        "failed",
        "void",
        "suspended",
        "past_due",
        "terminated",
        "disputed",
        "degraded",
        "declined",
        "overdue",
        "stopped",
        "releasing",
    },
}


@register.filter
def money(amount_minor: int | None, currency: str) -> str:
    """`1234500` fen -> `12,345.00 CNY`; nothing for None."""
    return "" if amount_minor is None else f"{_grouped(format_minor(amount_minor, currency))} {currency}"


@register.filter
def amount(amount_minor: int | None, currency: str) -> str:
    """`1234500` fen -> `12,345.00`, for columns whose heading names the currency."""
    return "" if amount_minor is None else _grouped(format_minor(amount_minor, currency))


@register.filter
def negated(amount_minor: int | None) -> int | None:
    """An amount from the other side: what the books count as credit, the customer counts as theirs."""
    return None if amount_minor is None else -amount_minor


@register.filter
def price(price_micros: int | Decimal | None, currency: str = "") -> str:
    """`9000000` micros -> `9.00`, with the currency behind it when given; at least two decimals."""
    if price_micros is None:
        return ""
    whole, _, decimals = format_micros(int(price_micros)).partition(".")
    text = f"{_grouped(whole)}.{decimals.rstrip('0').ljust(2, '0')}"
    return f"{text} {currency}" if currency else text


@register.filter
def quantity(value: Decimal | int | None) -> str:
    """A count or a decimal without trailing zeros: `125.500000000` -> `125.5`."""
    if value is None:
        return ""
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return _grouped(text.rstrip("0").rstrip(".") if "." in text else text)


@register.filter
def percent(rate_ppm: int | None) -> str:
    """Parts per million as percent: `60000` -> `6 %`."""
    return "" if rate_ppm is None else f"{quantity(Decimal(rate_ppm) / 10_000)} %"


@register.filter
def hours(unit_seconds: Decimal | None) -> str:
    """Unit-seconds as unit-hours with at most three decimals: `14400` -> `4`; nothing reported is 0."""
    return quantity(round(Decimal(unit_seconds or 0) / 3600, 3) + Decimal("0.000"))


@register.filter
def when(instant: datetime | None, precision: str = "minutes") -> SafeString | str:
    """An instant in Asia/Shanghai to the minute or, `when:"seconds"`, the second, or its `"day"`; UTC for machines."""
    if instant is None:
        return "–"
    shown = instant.astimezone(SHOWN_ZONE)
    return format_html('<time datetime="{}">{}</time>', instant.isoformat(), shown.strftime(_TIME_FORMS[precision]))


@register.filter
def days_until(since: datetime | None, until: datetime) -> int | str:
    """Whole days from one instant to another: how old something is."""
    return "" if since is None else max(0, (until - since) // timedelta(days=1))


@register.filter
def words(code: str) -> str:
    """A code as words: `order.partly_filled` -> `order partly filled`."""
    return str(code).replace(".", " ").replace("_", " ")


@register.filter
def unit_name(code: str) -> str:
    """The name of a unit: `card_hours` -> `card-hour`; a code that is no unit stands for itself."""
    known = all_units().get(code)
    return words(code) if known is None else known.name_en


@register.filter
def named(code: str, names: Mapping[str, str]) -> str:
    """The name of a code among `names`; a code without a name stands for itself."""
    return names.get(code, code)


@register.filter
def state(status: str) -> SafeString:
    """A status as a coloured word; the word itself carries the meaning."""
    tone = next((tone for tone, words in _STATE_TONES.items() if str(status) in words), "")
    return format_html('<span class="state {}">{}</span>', tone, words(status))


def _grouped(text: str) -> str:
    """Thousands separators for a plain decimal string."""
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, point, decimals = digits.partition(".")
    return f"{sign}{int(whole):,}{point}{decimals}"
