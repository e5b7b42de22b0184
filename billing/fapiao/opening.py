"""A fapiao comes to be: its row, the documents it is over, its taxes as they have them, and where it is issued."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import rfc8785
from django.db.models import Sum

from accounts.actors.actor import Actor
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids
from accounts.jobs import services as jobs
from billing.fapiao import issuer
from billing.fapiao.models import Fapiao, FapiaoCall, FapiaoPart, FapiaoTax, FapiaoTitle
from billing.fapiao.rules import CURRENCY, Kind, RedCause, Status, amount_text
from billing.invoices.models import Invoice, InvoiceTax

SEND_FAPIAO: Final = "send_fapiao"


def open_blue(actor: Actor, title: FapiaoTitle, kind: Kind, documents: Sequence[Invoice], *, now: datetime) -> Fapiao:
    """Ask for a fapiao over invoices and what was credited of them; the caller has locked and checked them."""
    first = documents[0]
    fapiao = Fapiao(
        organisation_id=first.organisation_id,
        title=title,
        kind=kind,
        seller_name=first.seller["legal_name"],
        seller_tax_id=first.seller["tax_id"],
    )
    return _opened(actor, fapiao, documents, sign=1, now=now)


def open_red(
    actor: Actor, blue: Fapiao, documents: Sequence[Invoice], cause: RedCause, *, reason: str, now: datetime
) -> Fapiao:
    """Ask for a red letter of an issued fapiao, whose row the caller has locked.

    Over a credit note it has the note's amounts; over a mistake those of the documents that are taken off, negated.
    """
    fapiao = Fapiao(
        organisation_id=blue.organisation_id,
        title=blue.title,
        kind=blue.kind,
        seller_name=blue.seller_name,
        seller_tax_id=blue.seller_tax_id,
        red_of=blue,
        red_cause=cause,
        reason=reason,
    )
    return _opened(actor, fapiao, documents, sign=-1 if cause is RedCause.MISTAKE else 1, now=now)


def _opened(actor: Actor, fapiao: Fapiao, documents: Sequence[Invoice], *, sign: int, now: datetime) -> Fapiao:
    fapiao.currency, fapiao.status = CURRENCY, Status.REQUESTED
    fapiao.tax_minor = sign * sum(document.tax_minor for document in documents)
    fapiao.total_minor = sign * sum(document.total_minor for document in documents)
    fapiao.net_minor = fapiao.total_minor - fapiao.tax_minor
    fapiao.requested_by, fapiao.requested_at = actor.label, now
    fapiao.save(force_insert=True)
    FapiaoPart.objects.bulk_create(
        FapiaoPart(
            fapiao=fapiao,
            document=document,
            tax_minor=sign * document.tax_minor,
            total_minor=sign * document.total_minor,
            # What a mistake takes off is not on the red letter to stay: it is free again once that is issued.
            is_live=fapiao.red_cause != RedCause.MISTAKE,
        )
        for document in documents
    )
    sums = (
        InvoiceTax.objects.filter(invoice__in=documents)
        .values("category", "rate_ppm")
        .annotate(base=Sum("base_minor"), tax=Sum("tax_minor"))
        .order_by("category", "rate_ppm")
    )
    FapiaoTax.objects.bulk_create(
        FapiaoTax(
            fapiao=fapiao,
            category=row["category"],
            rate_ppm=row["rate_ppm"],
            base_minor=sign * row["base"],
            tax_minor=sign * row["tax"],
        )
        for row in sums
        if row["base"] or row["tax"]
    )
    if issuer.from_settings() is not None:
        _intend(fapiao, now=now)
    tell(actor, fapiao, "requested", None, now=now)
    return fapiao


def _intend(fapiao: Fapiao, *, now: datetime) -> None:
    """Write down what the issuing service will be asked; a job sends it."""
    key = ids.spell("fap", fapiao.id)
    body = rfc8785.dumps(_document(fapiao, key)).decode()
    FapiaoCall.objects.create(fapiao=fapiao, key=key, body=body, created_at=now)
    jobs.enqueue(SEND_FAPIAO, str(fapiao.id), now=now)


def _document(fapiao: Fapiao, key: str) -> dict[str, Any]:
    title = fapiao.title
    return {
        "key": key,
        "kind": fapiao.kind,
        "red_of": fapiao.red_of.number if fapiao.red_of else "",
        "reason": fapiao.reason,
        "seller": {"name": fapiao.seller_name, "tax_id": fapiao.seller_tax_id},
        "buyer": {
            name: getattr(title, name) for name in ("name", "tax_id", "address", "phone", "bank_name", "bank_account")
        },
        "currency": fapiao.currency,
        "net": amount_text(fapiao.net_minor),
        "tax": amount_text(fapiao.tax_minor),
        "total": amount_text(fapiao.total_minor),
        "taxes": [
            {
                "category": row.category,
                "rate_ppm": row.rate_ppm,
                "base": amount_text(row.base_minor),
                "tax": amount_text(row.tax_minor),
            }
            for row in fapiao.taxes.order_by("category", "rate_ppm")
        ],
        "documents": [
            {"number": part.document.number, "total": amount_text(part.total_minor)}
            for part in fapiao.parts.select_related("document").order_by("document__number")
        ],
    }


def tell(actor: Actor, fapiao: Fapiao, what: str, before: str | None, *, now: datetime) -> None:
    """Note what happened to a fapiao, in the audit trail and for its buyer: `what` ends both names."""
    said = {
        "status": str(fapiao.status),
        "kind": str(fapiao.kind),
        "total": amount_text(fapiao.total_minor),
        "currency": fapiao.currency,
        "number": fapiao.number,
    }
    if fapiao.red_of_id is not None:
        said |= {"red_of": ids.spell("fap", fapiao.red_of_id), "reason": fapiao.reason}
    if fapiao.refusal:
        said["refusal"] = fapiao.refusal
    audit.record(
        actor,
        f"fapiao.{what}",
        "fapiao",
        fapiao.id,
        None if before is None else {"status": str(before)},
        said,
        now=now,
        organisation_id=fapiao.organisation_id,
    )
    events.emit(
        f"fapiao.{what}",
        "fapiao",
        fapiao.id,
        fapiao.organisation_id,
        said | {"fapiao": ids.spell("fap", fapiao.id)},
        now=now,
    )
