"""Titles are entered and ended, never changed: what was made out to one stays so."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.foundation.errors import Invalid
from accounts.organisations.rules import is_social_credit_code
from billing.fapiao.errors import NoSuchTitle, TitleEnded
from billing.fapiao.models import FapiaoTitle


@dataclass(frozen=True, slots=True)
class TitleSpec:
    """What fapiao shall say of a buyer; an ordinary one needs the name alone."""

    name: str
    tax_id: str = ""
    address: str = ""
    phone: str = ""
    bank_name: str = ""
    bank_account: str = ""


@transaction.atomic
def enter(actor: Actor, spec: TitleSpec, *, now: datetime) -> FapiaoTitle:
    """Enter a title of the actor's organisation. Raises Invalid for a tax id whose check digit is wrong."""
    actor.require(Capability.TRADE)
    if spec.tax_id and not is_social_credit_code(spec.tax_id):
        raise Invalid.field("/tax_id", spec.tax_id, "a unified social credit code of 18 characters (GB 32100)")
    title = FapiaoTitle.objects.create(
        organisation_id=actor.organisation(),
        name=spec.name,
        tax_id=spec.tax_id,
        address=spec.address,
        phone=spec.phone,
        bank_name=spec.bank_name,
        bank_account=spec.bank_account,
        created_at=now,
    )
    # The account number stays out of the trail, which is kept for ever.
    after = {"name": spec.name, "tax_id": spec.tax_id, "account_ending": spec.bank_account[-4:]}
    audit.record(actor, "fapiao_title.enter", "fapiao_title", title.id, None, after, now=now)
    return title


@transaction.atomic
def end(actor: Actor, title_id: UUID, *, now: datetime) -> FapiaoTitle:
    """Make nothing more out to a title. Raises NoSuchTitle and TitleEnded."""
    actor.require(Capability.TRADE)
    title = of_own(actor, title_id)
    if title.ended_at is not None:
        raise TitleEnded
    title.ended_at = now
    title.save(update_fields=["ended_at"])
    after = {"ended_at": now}
    audit.record(actor, "fapiao_title.end", "fapiao_title", title.id, {"name": title.name}, after, now=now)
    return title


def of_own(actor: Actor, title_id: UUID) -> FapiaoTitle:
    """Return a title of the actor's organisation, locked. Raises NoSuchTitle."""
    own = FapiaoTitle.objects.select_for_update(no_key=True).filter(organisation_id=actor.organisation())
    title = own.filter(id=title_id).first()
    if title is None:
        raise NoSuchTitle
    return title
