"""The trail that documents leave: an audit record for each change, and an event for the party of the document."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from accounts.actors.actor import Actor
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids
from billing.invoices.models import Invoice
from billing.invoices.rules import Side
from catalog.measures.money import format_minor


def tell(
    actor: Actor,
    document: Invoice,
    what: str = "issued",
    *,
    now: datetime,
    before: Mapping[str, object] | None = None,
    facts: Mapping[str, object] | None = None,
) -> None:
    """Note that something happened to a document: `what` ends the name of the record and of the event."""
    tell_all(actor, [document], what, now=now, before=before, facts=facts)


def tell_all(
    actor: Actor,
    documents: Sequence[Invoice],
    what: str = "issued",
    *,
    now: datetime,
    before: Mapping[str, object] | None = None,
    facts: Mapping[str, object] | None = None,
) -> None:
    """Note that the same happened to many documents."""
    records, told = [], []
    for document in documents:
        subject = "statement" if document.side == Side.PROVIDER else "invoice"
        said = _said(document, facts or {})
        records.append(
            audit.of(
                actor,
                f"{subject}.{what}",
                subject,
                document.id,
                before,
                said | {"digest": document.digest},
                now=now,
                organisation_id=document.organisation_id,
            )
        )
        spelled = {subject: ids.spell("stm" if subject == "statement" else "inv", document.id)}
        told.append(
            events.of(f"{subject}.{what}", subject, document.id, document.organisation_id, said | spelled, now=now)
        )
    audit.record_all(records)
    events.emit_all(told)


def _said(document: Invoice, facts: Mapping[str, object]) -> dict[str, object]:
    said: dict[str, object] = {
        "number": document.number,
        "contract": ids.spell("ctr", document.contract_id),
        "total": format_minor(document.total_minor, document.currency),
        "currency": document.currency,
        "status": str(document.status),
        **facts,
    }
    return said if document.corrects is None else said | {"corrects": document.corrects.number}
