"""Invoices that are due are collected by themselves from the card that their buyer has chosen."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Exists, Max, OuterRef, Q

from accounts.foundation.failures import Failures
from billing.cards import services
from billing.cards.errors import NothingToCollect
from billing.cards.models import CardCustomer, CardPayment
from billing.cards.rules import PaymentStatus
from billing.invoices.models import Invoice
from billing.invoices.rules import InvoiceStatus, Side

MOST_TRIES: Final = 4  # afterwards a person asks
BETWEEN_TRIES: Final = timedelta(days=1)


def collect_due(*, now: datetime) -> int:
    """Collect every due invoice whose buyer has chosen a card; returns how many collections were begun.

    A declined card is tried again a day later, MOST_TRIES times in all. Safe to run twice and at once: an invoice has
    one collection under way. One that fails keeps no other waiting; what failed is raised after the last of them.
    """
    chosen = CardCustomer.objects.filter(organisation_id=OuterRef("organisation_id"), autopay_method__isnull=False)
    under_way = CardPayment.objects.filter(
        invoice_id=OuterRef("id"), status__in=[PaymentStatus.PREPARING, PaymentStatus.OPEN]
    )
    due = (
        Invoice.objects.filter(
            Exists(chosen),
            ~Exists(under_way),
            side=Side.CUSTOMER,
            status__in=[InvoiceStatus.ISSUED, InvoiceStatus.PAST_DUE],
            due_at__lte=now,
        )
        .annotate(tries=Count("card_payments"), last_try=Max("card_payments__created_at"))
        .filter(Q(tries=0) | Q(tries__lt=MOST_TRIES, last_try__lte=now - BETWEEN_TRIES))
    )
    failures = Failures()
    begun = 0
    for invoice_id in due.order_by("id").values_list("id", flat=True):
        with failures.kept(f"collecting {invoice_id}"):
            try:
                services.collect_invoice(services.ACTOR, invoice_id, now=now)
            except NothingToCollect:
                continue  # paid, or begun by another worker, since it was listed
            begun += 1
    failures.raise_any()
    return begun
