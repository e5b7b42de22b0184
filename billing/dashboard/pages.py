"""The dashboard of finance: charts, and below each the table of its numbers."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from accounts.actors.actor import Actor, Capability
from accounts.actors.pages import actor_required
from accounts.foundation import clock
from accounts.foundation.errors import NotFound
from billing.dashboard import charts, queries
from billing.dashboard.queries import Block
from billing.ledger import queries as ledger

CURRENCY = "CNY"


@actor_required(Capability.VIEW_BOOKS)
def dashboard(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Cash, liabilities, fees, ages and what is not billed, in one of the currencies of the books."""
    currencies = ledger.currencies() or [CURRENCY]
    currency = request.GET.get("currency") or (CURRENCY if CURRENCY in currencies else currencies[0])
    if currency not in currencies:
        raise NotFound
    found = queries.figures(actor, currency, now=clock.now())
    blocks = [
        (_("Cash"), found.cash),
        (_("Owed to buyers"), found.to_buyers),
        (_("Owed to providers"), found.to_providers),
        (_("Receivables by age"), found.receivables),
        (_("Payables by age"), found.payables),
        (_("Open breaks by age"), found.breaks),
        (_("Usage not billed"), found.unbilled),
    ]
    series = [(_("Fees by month"), found.fees), (_("Margin by month"), found.margin)]
    context = {
        "at": found.at,
        "currency": currency,
        "currencies": currencies,
        "blocks": [{"name": name, "block": block, "chart": charts.bar_chart(_drawn(block))} for name, block in blocks],
        "series": [
            {"name": name, "block": block, "chart": charts.column_chart(_drawn(block))} for name, block in series
        ],
    }
    return render(request, "billing/dashboard.html", context)


def _drawn(block: Block) -> list[tuple[str, int]]:
    return [(row.name, row.amount_minor) for row in block.amounts]
