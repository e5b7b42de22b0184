"""Where a provider's money goes: entered by the provider, sealed, and never changed but by a new row."""

from datetime import datetime

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import sealed
from accounts.organisations.models import Organisation
from billing.payouts import queries
from billing.payouts.errors import PersonNeeded
from billing.payouts.models import PayoutDestination
from billing.payouts.rules import DESTINATION_HOLD


@transaction.atomic
def change(
    actor: Actor, *, holder: str, bank_name: str, bank_code: str, account: str, now: datetime
) -> PayoutDestination:
    """Enter the bank account of the actor's organisation; nothing is paid there for DESTINATION_HOLD.

    Everybody of the organisation is told by an event, so that a change that nobody made is noticed.
    """
    actor.require(Capability.MANAGE_MEMBERS)
    if actor.user_id is None:
        raise PersonNeeded
    # The organisation's row: two changes at once come one after the other.
    organisation = Organisation.objects.select_for_update(no_key=True).get(id=actor.organisation())
    before = queries.destination(organisation.id)
    if before is not None:
        before.replaced_at = now
        before.save(update_fields=["replaced_at"])
    made = PayoutDestination.objects.create(
        organisation=organisation,
        holder=holder,
        bank_name=bank_name,
        bank_code=bank_code,
        account_sealed=sealed.seal(account),
        account_ending=account[-4:],
        created_by_id=actor.user_id,
        created_at=now,
    )
    told = {"bank": bank_name, "account_ending": made.account_ending, "held_until": now + DESTINATION_HOLD}
    audit.record(
        actor,
        "payout_destination.change",
        "payout_destination",
        made.id,
        None if before is None else {"bank": before.bank_name, "account_ending": before.account_ending},
        told,
        now=now,
    )
    told["held_until"] = (now + DESTINATION_HOLD).isoformat()
    events.emit("payout_destination.changed", "payout_destination", made.id, organisation.id, told, now=now)
    return made
