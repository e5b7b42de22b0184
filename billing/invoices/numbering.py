"""Numbers: a series for each legal entity and kind of document, counted from 1 in each year without a gap."""

from datetime import datetime

from billing.contracts.terms import PartyTerms
from billing.invoices import rules
from billing.invoices.models import InvoiceCounter, InvoiceSeries
from billing.invoices.rules import InvoiceKind


def series_of(issuer: PartyTerms, kind: InvoiceKind) -> str:
    """Return the series in which a legal entity numbers its documents of a kind, opening it for the first."""
    entity = rules.entity_of(issuer)
    of_kind = InvoiceSeries.objects.filter(kind=kind)
    while (found := of_kind.filter(entity=entity).values_list("series", flat=True).first()) is None:
        # Of two that open one at once, the second waits here, finds the place taken and looks again.
        first = InvoiceSeries(entity=entity, kind=kind, series=rules.series_text(kind, of_kind.count() + 1))
        InvoiceSeries.objects.bulk_create([first], ignore_conflicts=True)
    return found


def locked_counter(series: str, year: int, *, now: datetime) -> InvoiceCounter:
    """Return the counter of a series and year, locked until the transaction ends."""
    counters = InvoiceCounter.objects.select_for_update(no_key=True).filter(series=series, year=year)
    counter = counters.first()
    if counter is None:
        first = InvoiceCounter(series=series, year=year, last=0, last_issued_at=now)
        InvoiceCounter.objects.bulk_create([first], ignore_conflicts=True)  # two first documents at once
        counter = counters.get()
    return counter
