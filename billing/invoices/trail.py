"""The trail that documents leave: an audit record for each change, and an event for the party of the document."""

from collections.abc import Mapping
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
    is_statement = document.side == Side.PROVIDER
    subject = "statement" if is_statement else "invoice"
    told: dict[str, object] = {
        "number": document.number,
        "contract": ids.spell("ctr", document.contract_id),
        "total": format_minor(document.total_minor, document.currency),
        "currency": document.currency,
        "status": str(document.status),
        **(facts or {}),
    }
    if document.corrects is not None:
        told["corrects"] = document.corrects.number
    audit.record(
        actor,
        f"{subject}.{what}",
        subject,
        document.id,
        before,
        told | {"digest": document.digest},
        now=now,
        organisation_id=document.organisation_id,
    )
    spelled = {subject: ids.spell("stm" if is_statement else "inv", document.id)}
    events.emit(f"{subject}.{what}", subject, document.id, document.organisation_id, told | spelled, now=now)
