"""What happens to organisations: they apply, are admitted, suspended, reinstated and closed."""

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids
from accounts.foundation.errors import Invalid, NotFound
from accounts.organisations import members
from accounts.organisations.errors import LegalEntityOverlaps, NameTaken, OperatorStays, OrganisationCannotMove
from accounts.organisations.models import LegalEntity, Organisation, User
from accounts.organisations.rules import (
    ADMIN_ROLES,
    ORGANISATION_MOVES,
    OrganisationKind,
    OrganisationStatus,
    is_social_credit_code,
    roles_open_to,
)
from accounts.projects import services as projects


@dataclass(frozen=True)
class LegalDetails:
    """What an organisation is in law and for tax."""

    legal_name: str
    tax_id: str
    jurisdiction: str
    address: str
    vat_registered: bool


@dataclass(frozen=True)
class Application:
    """What somebody says of an organisation that wants to take part."""

    name: str
    kind: OrganisationKind
    legal: LegalDetails
    can_buy: bool = False
    can_sell: bool = False
    can_operate: bool = False
    country: str = "CN"
    name_zh: str = ""
    uscc: str = ""
    synthetic: bool = False
    simulated_agent: bool = False


@transaction.atomic
def register(actor: Actor, application: Application, *, administrator: User | None, now: datetime) -> Organisation:
    """Take in an application, with its legal entity, a project "default" and its first administrator.

    Raises Invalid for a wrong social credit code or an organisation that would neither buy, sell
    nor operate, and NameTaken when the code is registered. Operating, made-up organisations and
    simulated agents are for the exchange's own people.
    """
    if application.can_operate or application.synthetic or application.simulated_agent:
        actor.require(Capability.OPERATE)
    _check(application)
    fields = {name: value for name, value in asdict(application).items() if name != "legal"}
    organisation = Organisation.objects.create(**fields, status=OrganisationStatus.APPLIED, created_at=now)
    _put_legal_entity(actor, organisation, application.legal, effective_from=now, now=now)
    projects.create(actor, organisation.id, code="default", name="Default", now=now)
    if administrator is not None:
        open_roles = roles_open_to(
            can_buy=organisation.can_buy, can_sell=organisation.can_sell, can_operate=organisation.can_operate
        )
        for role in sorted(open_roles & ADMIN_ROLES):
            members.join(actor, organisation, administrator, role, now=now)
    audit.record(
        actor, "organisation.register", "organisation", organisation.id, None, fields, now=now,
        organisation_id=organisation.id,
    )  # fmt: skip
    _tell(organisation, "organisation.applied", now=now)
    return organisation


def _check(application: Application) -> None:
    if not (application.can_buy or application.can_sell or application.can_operate):
        raise Invalid.field("/can_buy", application.can_buy, "true for at least one of can_buy and can_sell")
    if application.uscc:
        if not is_social_credit_code(application.uscc):
            raise Invalid.field("/uscc", application.uscc, "a unified social credit code of 18 characters (GB 32100)")
        if Organisation.objects.filter(uscc=application.uscc).exists():
            raise NameTaken


@transaction.atomic
def record_legal_entity(
    actor: Actor, organisation_id: UUID, details: LegalDetails, *, effective_from: datetime, now: datetime
) -> LegalEntity:
    """Replace what the actor's organisation is in law from an instant on; what was before stays on record.

    Raises NotAllowed, NotFound, and LegalEntityOverlaps when an entity is on record from that instant or later.
    """
    actor.require(Capability.MANAGE_MEMBERS)
    if not actor.is_system and actor.organisation_id != organisation_id:
        raise NotFound
    # The organisation's row serialises changes of its legal entities.
    organisation = Organisation.objects.select_for_update().get(pk=organisation_id)
    known = LegalEntity.objects.filter(organisation=organisation)
    if known.filter(effective_from__gte=effective_from).exists():
        raise LegalEntityOverlaps
    known.filter(effective_to__isnull=True).update(effective_to=effective_from)
    return _put_legal_entity(actor, organisation, details, effective_from=effective_from, now=now)


def _put_legal_entity(
    actor: Actor, organisation: Organisation, details: LegalDetails, *, effective_from: datetime, now: datetime
) -> LegalEntity:
    entity = LegalEntity.objects.create(
        organisation=organisation, **asdict(details), effective_from=effective_from, effective_to=None
    )
    audit.record(
        actor, "legal_entity.record", "organisation", organisation.id, None, asdict(details), now=now,
        organisation_id=organisation.id,
    )  # fmt: skip
    return entity


def admit(actor: Actor, organisation_id: UUID, *, now: datetime) -> Organisation:
    """Let an applicant take part; raises OrganisationCannotMove when it has not applied."""
    return _move(actor, organisation_id, OrganisationStatus.ACTIVE, "admit", now=now, only=OrganisationStatus.APPLIED)


def suspend(actor: Actor, organisation_id: UUID, *, now: datetime) -> Organisation:
    """Stop an organisation: its members and keys are refused from the next request on.

    Raises NotAllowed, NotFound, OrganisationCannotMove, and OperatorStays for the exchange itself.
    """
    return _move(actor, organisation_id, OrganisationStatus.SUSPENDED, "suspend", now=now)


def reinstate(actor: Actor, organisation_id: UUID, *, now: datetime) -> Organisation:
    """Let a suspended organisation take part again."""
    only = OrganisationStatus.SUSPENDED
    return _move(actor, organisation_id, OrganisationStatus.ACTIVE, "reinstate", now=now, only=only)


def close(actor: Actor, organisation_id: UUID, *, now: datetime) -> Organisation:
    """End an organisation for good."""
    return _move(actor, organisation_id, OrganisationStatus.CLOSED, "close", now=now)


@transaction.atomic
def _move(
    actor: Actor,
    organisation_id: UUID,
    wanted: OrganisationStatus,
    verb: str,
    *,
    now: datetime,
    only: OrganisationStatus | None = None,
) -> Organisation:
    actor.require(Capability.OPERATE)
    # Locked before the check: two operators may decide at once.
    organisation = Organisation.objects.select_for_update().filter(pk=organisation_id).first()
    if organisation is None:
        raise NotFound
    if organisation.can_operate and wanted is not OrganisationStatus.ACTIVE:
        raise OperatorStays
    before = OrganisationStatus(organisation.status)
    if wanted not in ORGANISATION_MOVES[before] or (only is not None and before is not only):
        raise OrganisationCannotMove(before, wanted)
    organisation.status = wanted
    organisation.save(update_fields=["status"])
    audit.record(
        actor, f"organisation.{verb}", "organisation", organisation.id, {"status": before}, {"status": wanted},
        now=now, organisation_id=organisation.id,
    )  # fmt: skip
    _tell(organisation, f"organisation.{wanted}", now=now)
    return organisation


def _tell(organisation: Organisation, event: str, *, now: datetime) -> None:
    payload = {"organisation": ids.spell("org", organisation.id), "status": str(organisation.status)}
    events.emit(event, "organisation", organisation.id, organisation.id, payload, now=now)
