"""Organisations: how they come in, what they are in law, who belongs to them."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.actors import services as actors
from accounts.actors.actor import Actor, Capability
from accounts.actors.errors import NotAllowed, NotAMember, OrganisationNotActive
from accounts.actors.rules import CAPABILITIES_BY_ROLE
from accounts.events import queries as events
from accounts.foundation import clock, ids
from accounts.foundation.errors import Invalid, NotFound
from accounts.invitations import services as invitations
from accounts.invitations.errors import AnotherAddress, InvitationNotOpen, SignInToAccept
from accounts.invitations.models import Invitation
from accounts.organisations import members, queries, rules, services
from accounts.organisations.errors import (
    AlreadyAMember,
    LastAdministrator,
    LegalEntityMissing,
    LegalEntityOverlaps,
    NameTaken,
    OperatorStays,
    OrganisationCannotMove,
    RoleNotOpen,
)
from accounts.organisations.models import Membership, Organisation, User
from accounts.organisations.rules import OrganisationKind, Role
from accounts.projects import queries as projects_read
from accounts.projects import services as projects
from accounts.projects.errors import DefaultProjectStays
from tests.accounts import cast
from tests.accounts.cast import NOW, PASSWORD

USCC = "91350100M000100Y43"  # the example of the standard


def test_a_registered_organisation_waits_with_its_legal_entity_and_a_default_project(db: None) -> None:
    applied = cast.application("Beichen AI Lab")

    assert applied.status == "applied"
    assert queries.legal_entity(applied.id, at=NOW).legal_name == "Beichen AI Lab Ltd"
    assert [project.code for project in applied.projects.all()] == ["default"]


def test_its_first_administrator_gets_every_desk_that_it_has(db: None) -> None:
    principal = cast.user("principal")
    legal = services.LegalDetails("B", "T", "CN", "A", vat_registered=True)
    wanted = services.Application("B", OrganisationKind.SME, legal, can_buy=True, can_sell=True)

    organisation = services.register(cast.SYSTEM, wanted, administrator=principal, now=NOW)

    roles = set(Membership.objects.filter(organisation=organisation).values_list("role", flat=True))
    assert roles == {Role.BUYER_ADMIN, Role.PROVIDER_ADMIN}


@pytest.mark.parametrize("field", ["can_operate", "synthetic", "simulated_agent"])
def test_nobody_outside_registers_what_only_the_exchange_may(db: None, field: str) -> None:
    visitor = Actor(None, None, None, frozenset(), "visitor")
    legal = services.LegalDetails("B", "T", "CN", "A", vat_registered=True)
    wanted: dict[str, Any] = {"can_buy": True, field: True}

    with pytest.raises(NotAllowed):
        services.register(
            visitor, services.Application("B", OrganisationKind.SME, legal, **wanted), administrator=None, now=NOW
        )


def test_an_organisation_that_would_do_nothing_is_refused(db: None) -> None:
    with pytest.raises(Invalid):
        cast.application("Idle", can_buy=False)


def test_a_social_credit_code_is_checked_and_belongs_to_one(db: None) -> None:
    cast.application("First", uscc=USCC)

    with pytest.raises(NameTaken):
        cast.application("Second", uscc=USCC)
    with pytest.raises(Invalid, match="GB 32100"):
        cast.application("Third", uscc=USCC[:-1] + "4")


@given(st.integers(min_value=0, max_value=16), st.sampled_from("0123456789ABCDEFGHJKLMNPQRTUWXY"))
def test_the_check_digit_notices_every_single_wrong_character(place: int, character: str) -> None:
    changed = USCC[:place] + character + USCC[place + 1 :]

    assert rules.is_social_credit_code(changed) == (changed == USCC)


def test_an_organisation_moves_as_its_table_says(platform_admin: User) -> None:
    operator = cast.acting(platform_admin)
    lab = cast.application("Beichen AI Lab")

    with pytest.raises(OrganisationCannotMove):
        services.suspend(operator, lab.id, now=NOW)
    services.admit(operator, lab.id, now=NOW)
    with pytest.raises(OrganisationCannotMove):
        services.admit(operator, lab.id, now=NOW)
    services.suspend(operator, lab.id, now=NOW)
    services.reinstate(operator, lab.id, now=NOW)
    services.close(operator, lab.id, now=NOW)
    with pytest.raises(OrganisationCannotMove):
        services.reinstate(operator, lab.id, now=NOW)

    told = [event.type for event in events.timeline(cast.SYSTEM, "organisation", lab.id)]
    assert told == [f"organisation.{what}" for what in ("applied", "active", "suspended", "active", "closed")]


def test_only_the_operator_decides_about_organisations(lab: Organisation, lab_admin: User) -> None:
    with pytest.raises(NotAllowed):
        services.suspend(cast.acting(lab_admin), lab.id, now=NOW)


def test_there_is_one_operator(operator: Organisation) -> None:
    assert queries.operator() == operator


def test_a_legal_entity_holds_from_one_instant_to_the_next(lab: Organisation, lab_admin: User) -> None:
    later = NOW + timedelta(days=10)
    moved = services.LegalDetails("Beichen Technology", "T2", "CN", "2 New Road", vat_registered=False)

    services.record_legal_entity(cast.acting(lab_admin), lab.id, moved, effective_from=later, now=NOW)

    just_before = later - timedelta(microseconds=1)
    assert queries.legal_entity(lab.id, at=just_before).legal_name == "Beichen AI Lab Ltd"
    assert queries.legal_entity(lab.id, at=later).legal_name == "Beichen Technology"
    with pytest.raises(LegalEntityMissing):
        queries.legal_entity(lab.id, at=NOW - timedelta(days=1))
    with pytest.raises(LegalEntityOverlaps):
        services.record_legal_entity(cast.acting(lab_admin), lab.id, moved, effective_from=NOW, now=NOW)


def test_a_stranger_cannot_change_what_an_organisation_is_in_law(lab: Organisation, stranger: User) -> None:
    details = services.LegalDetails("Stolen", "T", "CN", "A", vat_registered=True)

    with pytest.raises(NotFound):
        services.record_legal_entity(
            cast.acting(stranger), lab.id, details, effective_from=NOW + timedelta(days=1), now=NOW
        )


@pytest.mark.parametrize("role", Role)
def test_a_member_can_what_the_role_says(db: None, role: Role) -> None:
    everything = cast.organisation("All", kind=OrganisationKind.OPERATOR, can_buy=True, can_sell=True, can_operate=True)

    assert cast.acting(cast.member(everything, "somebody", role)).capabilities == CAPABILITIES_BY_ROLE[role]


@pytest.mark.parametrize("role", sorted(set(Role) - rules.BUYER_ROLES))
def test_a_role_for_another_desk_is_not_given(lab: Organisation, lab_admin: User, role: Role) -> None:
    with pytest.raises(RoleNotOpen, match="expected one of buyer_admin, buyer_trader, buyer_viewer"):
        members.give_role(cast.acting(lab_admin), lab_admin.id, role, now=NOW)


def test_roles_are_given_to_colleagues_only_and_once(
    lab: Organisation, lab_admin: User, viewer: User, stranger: User
) -> None:
    principal = cast.acting(lab_admin)

    members.give_role(principal, viewer.id, Role.BUYER_TRADER, now=NOW)

    with pytest.raises(AlreadyAMember):
        members.give_role(principal, viewer.id, Role.BUYER_TRADER, now=NOW)
    with pytest.raises(NotFound):
        members.give_role(principal, stranger.id, Role.BUYER_VIEWER, now=NOW)
    with pytest.raises(NotAllowed):
        members.give_role(cast.acting(viewer), lab_admin.id, Role.BUYER_VIEWER, now=NOW)
    assert cast.acting(viewer).can(Capability.TRADE)


def test_the_last_administrator_stays(lab_admin: User, viewer: User) -> None:
    principal = cast.acting(lab_admin)
    own = Membership.objects.get(user=lab_admin)

    with pytest.raises(LastAdministrator):
        members.remove_member(principal, own.id, now=NOW)

    members.give_role(principal, viewer.id, Role.BUYER_ADMIN, now=NOW)
    members.remove_member(principal, own.id, now=NOW)
    with pytest.raises(NotAMember):
        actors.for_user(lab_admin, principal.organisation_id)


def test_a_stranger_cannot_remove_a_member_and_learns_nothing(viewer: User, stranger: User) -> None:
    with pytest.raises(NotFound):
        members.remove_member(cast.acting(stranger), Membership.objects.get(user=viewer).id, now=NOW)


def test_the_exchange_itself_is_neither_suspended_nor_closed(db: None) -> None:
    exchange = cast.organisation("Sancai Compute Exchange", can_operate=True, can_buy=False)

    for stop in (services.suspend, services.close):
        with pytest.raises(OperatorStays):
            stop(cast.SYSTEM, exchange.id, now=NOW)


def test_nobody_acts_for_an_organisation_of_others_or_a_suspended_one(lab_admin: User, stranger: User) -> None:
    organisation_id = cast.acting(lab_admin).organisation()

    with pytest.raises(NotAMember):
        actors.for_user(stranger, organisation_id)
    services.suspend(cast.SYSTEM, organisation_id, now=NOW)
    with pytest.raises(OrganisationNotActive):
        actors.for_user(lab_admin, organisation_id)


def test_an_invitation_lets_somebody_new_in_once(lab_admin: User, client: Client) -> None:
    client.force_login(lab_admin)
    page = client.post("/members", {"email": "New.Person@example.com", "role": "buyer_trader"})
    link = page.context["link"].removeprefix("http://testserver")
    assert link.rsplit("/", 1)[1] not in client.get("/members").content.decode()

    visitor = Client()
    assert "Beichen AI Lab" in visitor.get(link).content.decode()
    assert visitor.post(link, {"display_name": "New", "password": "short"}).status_code == 200
    accepted = visitor.post(link, {"display_name": "New", "password": PASSWORD})

    assert accepted.status_code == 302
    assert visitor.get("/v1/me").json()["capabilities"] == ["trade", "view_buying"]
    assert Client().get(link).status_code == 404


def test_an_invitation_is_for_its_address_alone(lab_admin: User, stranger: User) -> None:
    now = clock.now()
    principal = cast.acting(lab_admin)
    known = invitations.invite(principal, email="stranger@example.com", role=Role.BUYER_VIEWER, now=now)
    other = invitations.invite(principal, email="other@example.com", role=Role.BUYER_VIEWER, now=now)

    def accept(secret: str, user: User | None) -> Membership:
        return invitations.accept(secret, user=user, display_name="X", password=PASSWORD, now=now)

    with pytest.raises(SignInToAccept):
        accept(known.secret_text, None)
    with pytest.raises(AnotherAddress):
        accept(other.secret_text, stranger)
    assert accept(known.secret_text, stranger).user == stranger


def test_an_invitation_ends_by_time_and_by_being_withdrawn(lab_admin: User) -> None:
    principal = cast.acting(lab_admin)
    issued = invitations.invite(principal, email="new@example.com", role=Role.BUYER_VIEWER, now=NOW)

    with pytest.raises(InvitationNotOpen):
        invitations.find(issued.secret_text, now=NOW + invitations.LIFE)
    invitations.withdraw(principal, issued.invitation.id, now=NOW)
    with pytest.raises(InvitationNotOpen):
        invitations.find(issued.secret_text, now=NOW)
    with pytest.raises(InvitationNotOpen):
        invitations.find("nonsense", now=NOW)
    assert issued.secret_text not in str(Invitation.objects.values())


def test_an_order_finds_the_open_projects_of_its_own_organisation(lab_admin: User, stranger: User) -> None:
    actor = cast.acting(lab_admin)
    theirs = projects_read.for_order(cast.acting(stranger), None)
    night = projects.create(actor, actor.organisation(), code="night", name="Night", now=NOW)

    assert projects_read.for_order(actor, None).code == "default"
    assert projects_read.for_order(actor, night.id) == night
    projects.archive(actor, night.id, now=NOW)
    for unusable in (night.id, theirs.id, ids.new_id()):
        with pytest.raises(NotFound):
            projects_read.for_order(actor, unusable)
    with pytest.raises(DefaultProjectStays):
        projects.archive(actor, projects_read.for_order(actor, None).id, now=NOW)
