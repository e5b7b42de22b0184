"""What a simulated market came to: figures for a program, a table for a person."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from django.db.models import Count, F, Max, Min, Q, Sum

from billing.invoices.models import Invoice
from billing.invoices.rules import InvoiceStatus, Side
from billing.ledger.models import LedgerEntry
from billing.payouts.models import StatementRelease
from billing.usage.models import UsageEvent
from catalog.measures.money import format_minor
from catalog.measures.price import format_micros
from catalog.measures.rounding import half_up
from catalog.sites.models import Site
from exchange.leases.models import Lease
from exchange.markets.models import Market
from exchange.orders.models import Order
from exchange.rounds.models import Round, RoundOutcome, RoundPrice
from exchange.rounds.rules import RoundStatus
from exchange.simulation.run import Simulation

LIMITS: Final = "synthetic, drawn from the seed (docs/reference/imports.md)"


@dataclass(frozen=True)
class PriceRow:
    """What was traded of one resource type in one hub or region; prices in micros a unit-hour."""

    resource_type: str
    hub: str
    unit_hours: int
    lowest_micros: int
    mean_micros: int
    highest_micros: int


def figures(simulation: Simulation, market: Market, *, violated: list[str]) -> dict[str, Any]:
    """Return the report: counts, micros and minor units, nothing that depends on ids or on real time."""
    hours = Order.objects.filter(market=market).aggregate(
        wanted=Sum("total_unit_hours", default=0), filled=Sum("filled_unit_hours", default=0)
    )
    outcomes = RoundOutcome.objects.filter(round__market=market, round__status=RoundStatus.PUBLISHED)
    cleared = outcomes.aggregate(welfare=Sum("welfare_micros", default=0), bound=Sum("bound_micros", default=0))
    releases = StatementRelease.objects.aggregate(
        due=Sum("amount_minor", default=0), released=Sum("amount_minor", filter=Q(released_at__isnull=False), default=0)
    )
    issued = Invoice.objects.exclude(status=InvoiceStatus.DRAFT)
    return {
        "days": simulation.days,
        "seed": simulation.seed,
        "currency": market.currency,
        "limit_prices": LIMITS,
        "offers": simulation.offers_entered,
        "orders": simulation.orders_placed,
        "left_out": dict(sorted(simulation.left_out.items())),
        "filled_orders": Order.objects.filter(market=market, filled_unit_hours__gt=0).count(),
        "wholly_filled_orders": Order.objects.filter(market=market, filled_unit_hours=F("total_unit_hours")).count(),
        "wanted_unit_hours": hours["wanted"],
        "filled_unit_hours": hours["filled"],
        "rounds": Round.objects.filter(market=market, status=RoundStatus.PUBLISHED).count(),
        "degraded_rounds": Round.objects.filter(market=market, degraded=True).count(),
        "welfare_micros": int(cleared["welfare"]),
        "bound_micros": int(cleared["bound"]),
        "leases": dict(Lease.objects.order_by("status").values_list("status").annotate(Count("id"))),
        "usage_events": UsageEvent.objects.count(),
        "invoices": issued.filter(side=Side.CUSTOMER).count(),
        "invoiced_minor": _total(issued.filter(side=Side.CUSTOMER)),
        "statements": issued.filter(side=Side.PROVIDER).count(),
        "provider_payable_minor": _total(issued.filter(side=Side.PROVIDER)),
        "payouts_due_minor": releases["released"],
        "ledger_entries": LedgerEntry.objects.count(),
        "ledger_sum_minor": LedgerEntry.objects.aggregate(total=Sum("amount_minor", default=0))["total"],
        "prices": [vars_of(row) for row in prices(market)],
        "violations": len(violated),
        "violated": violated,
    }


def _total(documents: Any) -> int:
    return int(documents.aggregate(total=Sum("total_minor", default=0))["total"])


def vars_of(row: PriceRow) -> dict[str, Any]:
    """Return a row as the report spells it."""
    return {name: getattr(row, name) for name in PriceRow.__dataclass_fields__}


def prices(market: Market) -> Iterator[PriceRow]:
    """Yield what was traded by resource type and hub, the mean weighted by unit-hours and rounded half up."""
    hub_of = dict(Site.objects.values_list("code", "hub__code"))
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    traded = RoundPrice.objects.filter(market=market, traded_unit_hours__gt=0)
    summed = traded.values("cell").annotate(
        hours=Sum("traded_unit_hours"),
        paid=Sum(F("traded_unit_hours") * F("price_micros")),
        low=Min("price_micros"),
        high=Max("price_micros"),
    )
    for row in summed.order_by("cell"):
        site, resource_type, *_ = str(row["cell"]).split("/")
        groups.setdefault((resource_type, hub_of[site]), []).append(row)
    for (resource_type, hub), rows in sorted(groups.items()):
        hours = sum(row["hours"] for row in rows)
        yield PriceRow(
            resource_type,
            hub,
            hours,
            min(row["low"] for row in rows),
            half_up(int(sum(row["paid"] for row in rows)), hours),
            max(row["high"] for row in rows),
        )


def spelled(report: Mapping[str, Any]) -> str:
    """Return the report as JSON, the same bytes for the same figures."""
    return json.dumps(report, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def table(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of the table that a person reads."""
    currency = report["currency"]
    money = {name: format_minor(report[name], currency) for name in report if name.endswith("_minor")}
    share = _percent(report["filled_unit_hours"], report["wanted_unit_hours"])
    rows = (
        ("offers", f"{report['offers']:,}"),
        ("orders", f"{report['orders']:,} (limits {report['limit_prices']})"),
        ("orders filled", f"{report['filled_orders']:,}, of these wholly {report['wholly_filled_orders']:,}"),
        ("fill rate", f"{share} of {report['wanted_unit_hours']:,} unit-hours"),
        ("rounds", f"{report['rounds']:,}, degraded {report['degraded_rounds']}"),
        ("welfare", f"{format_micros(report['welfare_micros'])} {currency}"),
        ("proven bound", f"{format_micros(report['bound_micros'])} {currency}"),
        ("leases", ", ".join(f"{count:,} {status}" for status, count in report["leases"].items()) or "none"),
        ("usage events", f"{report['usage_events']:,}"),
        ("invoiced", f"{money['invoiced_minor']} {currency} on {report['invoices']:,} invoices"),
        ("provider payable", f"{money['provider_payable_minor']} {currency} on {report['statements']:,} statements"),
        ("payouts due", f"{money['payouts_due_minor']} {currency}"),
        ("ledger total", f"{money['ledger_sum_minor']} {currency} over {report['ledger_entries']:,} entries"),
        ("violations", f"{report['violations']} {' '.join(report['violated'])}".rstrip()),
    )
    yield from (f"{name:<18}{value}" for name, value in rows)
    yield ""
    yield f"{'type':<16}{'hub':<18}{'unit-hours':>12}{'lowest':>12}{'mean':>12}{'highest':>12}  {currency} a unit-hour"
    for row in report["prices"]:
        low, mean, high = (format_micros(row[name]) for name in ("lowest_micros", "mean_micros", "highest_micros"))
        yield f"{row['resource_type']:<16}{row['hub']:<18}{row['unit_hours']:>12,}{low:>12}{mean:>12}{high:>12}"
    for reason, count in report["left_out"].items():
        yield f"left out, {reason}: {count:,}"


def _percent(part: int, whole: int) -> str:
    """Return a share with one decimal, or a dash of nothing."""
    if not whole:
        return "-"
    tenths = half_up(Fraction(part * 1000, whole).numerator, Fraction(part * 1000, whole).denominator)
    return f"{tenths // 10}.{tenths % 10} %"
