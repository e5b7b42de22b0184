"""Who may call what: every address under /v1/ and every page, as every kind of principal.

What a method asks for is declared once, on its view. The expectations here are derived from
that declaration and from what each principal can do, so a new address needs no line in a table;
one without a declaration fails.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client

from accounts.actors.actor import Capability
from accounts.actors.rules import CAPABILITIES_BY_ROLE, CAPABILITIES_BY_SCOPE
from accounts.audit.models import AuditRecord
from accounts.events.models import Event
from accounts.foundation import clock
from accounts.idempotency.models import IdempotencyRecord
from accounts.jobs.models import Job
from accounts.keys import services as keys
from accounts.keys.models import ApiKey
from accounts.keys.rules import Scope
from accounts.organisations import services as organisations
from accounts.organisations.models import Organisation
from accounts.organisations.rules import BUYER_ROLES, OPERATOR_ROLES, OrganisationKind, Role
from accounts.web.permissions import ANY_ACTOR, PUBLIC, Requirement
from accounts.web.views import ExchangeAPIView
from tests.accounts import cast
from tests.api.routes import Route, api_routes, page_routes

# Pages that show something to visitors. Every other page names what it asks for.
OPEN_PAGES = {
    "alive",
    "ready",
    "sign_in",
    "sign_out",
    "choose_organisation",
    "accept_invitation",
    "home",
    "rounds",
    "round",
    "market_data",
    "market_data_of",
    "stripe_webhook",
}


def test_every_address_of_the_api_declares_what_it_asks_for() -> None:
    missing = []
    for route in api_routes():
        assert issubclass(route.view, ExchangeAPIView), route.pattern
        declared = set(route.view.required_capability)
        if declared != set(route.methods):
            missing.append(f"{route.pattern}: has {route.methods}, declares {sorted(declared)}")
        for requirement in route.view.required_capability.values():
            assert _is_known(requirement), (route.pattern, requirement)
    assert not missing, "\n".join(missing)


def test_no_two_addresses_share_a_name() -> None:
    names = [route.name for route in [*api_routes(), *page_routes()]]

    assert "" not in names
    assert sorted(names) == sorted(set(names))


def _is_known(requirement: Requirement) -> bool:
    if isinstance(requirement, tuple):
        return bool(requirement) and all(item in Capability for item in requirement)
    return requirement in {ANY_ACTOR, PUBLIC, *Capability}


@dataclass(frozen=True)
class Principal:
    """Somebody who calls: how, what they can do, and how they are refused when they are broken."""

    client: Client
    capabilities: frozenset[Capability]
    headers: dict[str, str]
    refused_with: int | None = None


def _member(role: Role) -> Principal:
    client = Client()
    client.force_login(cast.member(_organisation_for(role), f"member_{role}", role))
    return Principal(client, CAPABILITIES_BY_ROLE[role], {})


def _organisation_for(role: Role) -> Organisation:
    if role in OPERATOR_ROLES:
        return cast.organisation("Exchange", kind=OrganisationKind.OPERATOR, can_operate=True)
    if role in BUYER_ROLES:
        return cast.organisation("Beichen AI Lab", can_buy=True)
    return cast.organisation("Huailai Compute", can_sell=True)


def _program(scope: Scope) -> Principal:
    trader = cast.organisation("Both Ways", can_buy=True, can_sell=True)
    owner = cast.member(trader, "owner", Role.BUYER_ADMIN, Role.PROVIDER_ADMIN)
    text = cast.live_key(cast.acting(owner), scope)
    allowed = CAPABILITIES_BY_SCOPE[scope] - {Capability.VIEW_BOOKS}
    return Principal(Client(), allowed, {"Authorization": f"Bearer {text}"})


def _nobody() -> Principal:
    return Principal(Client(), frozenset(), {}, refused_with=401)


def _suspended() -> Principal:
    principal = _member(Role.BUYER_ADMIN)
    organisations.suspend(cast.SYSTEM, Organisation.objects.get(name="Beichen AI Lab").id, now=clock.now())
    return Principal(principal.client, frozenset(), {}, refused_with=403)


def _homeless() -> Principal:
    client = Client()
    client.force_login(cast.user("homeless"))
    return Principal(client, frozenset(), {}, refused_with=403)


def _expired_key() -> Principal:
    past = clock.now() - timedelta(days=40)
    owner = cast.member(cast.organisation("Beichen AI Lab"), "owner", Role.BUYER_ADMIN)
    return Principal(
        Client(),
        frozenset(),
        {"Authorization": f"Bearer {cast.key(cast.acting(owner), Scope.TRADE, now=past)}"},
        refused_with=401,
    )


def _revoked_key() -> Principal:
    owner = cast.acting(cast.member(cast.organisation("Beichen AI Lab"), "owner", Role.BUYER_ADMIN))
    text = cast.live_key(owner, Scope.TRADE)
    keys.revoke(owner, ApiKey.objects.get().id, now=clock.now())
    return Principal(Client(), frozenset(), {"Authorization": f"Bearer {text}"}, refused_with=401)


PRINCIPALS: dict[str, Callable[[], Principal]] = {
    "nobody": _nobody,
    **{str(role): partial(_member, role) for role in Role},
    **{f"key:{scope}": partial(_program, scope) for scope in Scope},
    "member of a suspended organisation": _suspended,
    "person without an organisation": _homeless,
    "expired key": _expired_key,
    "revoked key": _revoked_key,
}


@pytest.mark.parametrize("who", PRINCIPALS)
def test_each_principal_is_let_in_and_refused_as_declared(db: None, who: str) -> None:
    principal = PRINCIPALS[who]()
    before = _written()
    wrong = []
    cells = 0
    for route in api_routes():
        for method in (*route.methods, "HEAD") if "GET" in route.methods else route.methods:
            cells += 1
            expected = _expected(principal, route, method)
            status = _call(principal, route, method)
            if (status if status in {401, 403} else None) != expected or status >= 500:
                wrong.append(f"{method} {route.pattern}: {status}, expected {expected or 'to be let in'}")
    assert not wrong, "\n".join(wrong)
    assert cells > 20, "the walk over the resolver found next to nothing"
    # Ids that name nothing and empty bodies: neither a refused nor an admitted call has written anything.
    assert _written() == before


def _call(principal: Principal, route: Route, method: str) -> int:
    given: dict[str, Any] = {} if method in {"GET", "HEAD"} else {"data": b"", "content_type": "application/json"}
    return principal.client.generic(method, route.path, headers=principal.headers, **given).status_code


def _expected(principal: Principal, route: Route, method: str) -> int | None:
    """Return 401 or 403, or None when the caller is let in, whatever the answer is then."""
    requirement = route.view.requirement(method)
    if requirement == PUBLIC:
        return 401 if principal.refused_with == 401 and principal.headers else None
    if principal.refused_with is not None:
        return principal.refused_with
    if requirement == ANY_ACTOR:
        return None
    wanted = requirement if isinstance(requirement, tuple) else (requirement,)
    return None if principal.capabilities.intersection(wanted) else 403


def _written() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (AuditRecord, Event, Job, IdempotencyRecord))


def test_every_page_names_what_it_asks_for() -> None:
    open_pages = {route.name for route in page_routes() if not hasattr(route.callback, "required_capabilities")}

    assert open_pages <= OPEN_PAGES, f"these pages ask nothing of their visitors: {sorted(open_pages - OPEN_PAGES)}"


@pytest.mark.parametrize("role", [None, *Role])
def test_pages_send_visitors_to_sign_in_and_refuse_the_wrong_desk(db: None, role: Role | None) -> None:
    principal = _nobody() if role is None else _member(role)
    wrong = []
    for route in page_routes():
        asked = getattr(route.callback, "required_capabilities", None)
        if asked is None:
            continue
        for method in ("GET", "POST"):
            response = principal.client.generic(method, route.path)
            if response.status_code == 405:
                continue
            if role is None:
                fine = response.status_code == 302 and response["Location"].startswith("/sign-in")
            else:
                let_in = not asked or bool(principal.capabilities.intersection(asked))
                fine = (response.status_code != 403) == let_in and response.status_code < 500
            if not fine:
                wrong.append(f"{method} {route.pattern}: {response.status_code}")
    assert not wrong, "\n".join(wrong)
