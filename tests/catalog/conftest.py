"""The cast of the catalogue's tests: two providers, a buyer and the operator, and a site to sell at.

pytest reads this file before Django is configured, so it imports the cast where it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from accounts.actors.actor import Actor
    from catalog.offerings.models import Offering
    from catalog.sites.models import Site


@pytest.fixture
def operator(db: None) -> Actor:
    """The exchange's operator on duty."""
    from accounts.actors.actor import Capability
    from accounts.organisations.rules import OrganisationKind
    from tests.catalog import cast

    exchange = cast.organisation("Exchange", kind=OrganisationKind.OPERATOR, can_operate=True)
    return cast.acting_for(exchange, frozenset({Capability.OPERATE}))


@pytest.fixture
def provider(db: None) -> Actor:
    """A provider who lists."""
    from tests.catalog import cast

    return cast.acting_for(cast.organisation("Huailai Compute", can_sell=True), cast.SELLING)


@pytest.fixture
def rival(db: None) -> Actor:
    """Another provider: a stranger to the first one's drafts."""
    from tests.catalog import cast

    return cast.acting_for(cast.organisation("Zhangbei Green DC", can_sell=True), cast.SELLING)


@pytest.fixture
def buyer(db: None) -> Actor:
    """A buyer who searches."""
    from accounts.organisations.rules import OrganisationKind
    from tests.catalog import cast

    lab = cast.organisation("Beichen AI Lab", kind=OrganisationKind.LAB, can_buy=True)
    return cast.acting_for(lab, cast.BUYING)


@pytest.fixture
def make_site(operator: Actor) -> Callable[..., Site]:
    """Make listed sites: `make_site("zjk-1", hub="cn-jingjinji", green_percent=85)`."""
    from tests.catalog import cast

    return lambda code, **fields: cast.listed_site(operator, code, **fields)


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    """The site of the story in the tour."""
    return make_site("zjk-1", name="Zhangjiakou 1", cluster="cn-jingjinji-zhangjiakou", green_percent=85)


@pytest.fixture
def make_offering(operator: Actor, provider: Actor) -> Callable[..., Offering]:
    """Make listed offerings: `make_offering(site, resource_type="h20")`."""
    from tests.catalog import cast

    def make(site: Site, *, seller: Actor = provider, **fields: Any) -> Offering:
        return cast.listed_offering(operator, seller, site, **fields)

    return make


@pytest.fixture
def call() -> Callable[..., Any]:
    """Call the API as an actor: `call(provider, "post", "/v1/offerings", {...})` gives the response."""
    import secrets

    from rest_framework.test import APIClient

    def request(actor: Actor | None, method: str, path: str, body: object = None, **params: Any) -> Any:
        client = APIClient()
        if actor is not None:
            client.force_authenticate(user=None, token=actor)  # type: ignore[arg-type]
        if method == "get":
            return client.get(path, params)
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        return getattr(client, method)(path, body, format="json", headers=headers)

    return request
