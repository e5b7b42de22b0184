"""The catalogue as a person searches it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actors.actor import Actor, Capability
from accounts.actors.pages import actor_required
from accounts.foundation import clock
from accounts.foundation.errors import DomainError, NotFound
from accounts.web.listing import listing
from catalog.offerings import cells, queries, services
from catalog.offerings.forms import NeedsForm, OfferingForm
from catalog.offerings.models import Offering
from catalog.offerings.needs import CellAttributes, Needs
from catalog.offerings.rules import OfferingStatus
from catalog.offerings.wording import FABRIC_NAMES
from catalog.sites import queries as sites
from catalog.sites.rules import SiteStatus

NEAREST: Final = 5  # offerings shown when none qualifies
STANDARD_CREDIT: Final = Decimal(10)  # per cent of what is not delivered
# The steps of an offering's life that a button takes, by the word in its address.
STEPS: Final[Mapping[str, Callable[..., Offering]]] = MappingProxyType(
    {
        "submit": services.submit,
        "list": services.list_,
        "suspend": services.suspend,
        "retire": services.retire,
    }
)


@dataclass(frozen=True)
class Card:
    """An offering with what its cell is."""

    offering: Offering
    cell: str
    attributes: CellAttributes


@actor_required()
def catalogue(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Search what can be bought by what a job needs; say what comes closest when nothing fits."""
    form = NeedsForm(request.GET or None)
    needs = form.needs() if form.is_bound and form.is_valid() else Needs()
    # Needs that cannot be read are met by nothing and missed by nothing: the list waits for their correction.
    matching = Offering.objects.none() if form.errors else queries.matching(queries.listed(), needs)
    found = listing(matching, request)
    nearest = () if found.rows or form.errors else queries.near_misses(queries.listed(), needs, limit=NEAREST)
    context = {
        "form": form,
        "listing": found,
        "cards": [_card(offering) for offering in found.rows],
        "nearest": nearest,
        "may_trade": actor.can(Capability.TRADE),
    }
    return render(request, "catalog/catalogue.html", context, status=400 if form.errors else 200)


@actor_required()
def offering(request: HttpRequest, actor: Actor, offering_id: UUID) -> HttpResponse:
    """One offering: what it is, where, and what its meters cost."""
    found = queries.one(actor, offering_id)
    card = queries.current_rate_card(found, clock.now())
    context = {
        "card": _card(found),
        "rate_card": card,
        "fabric": FABRIC_NAMES[found.fabric],
        "metros": dict(sites.metros().values_list("code", "name_en")),
        "may_trade": actor.can(Capability.TRADE),
        "may_offer": actor.can(Capability.LIST) and found.provider_id == actor.organisation_id,
    }
    return render(request, "catalog/offering.html", context)


@require_safe
@actor_required(Capability.VIEW_BOOKS)
def rate_cards(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every version of the prices of every offering, for those who keep the books."""
    return render(request, "catalog/rate_cards.html", {"listing": listing(queries.all_rate_cards(actor), request)})


@actor_required(Capability.VIEW_SELLING)
def my_offerings(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What the organisation sells, in every state."""
    context = {"listing": listing(queries.own(actor), request), "may_list": actor.can(Capability.LIST)}
    return render(request, "catalog/my_offerings.html", context)


@actor_required(Capability.LIST)
def offering_new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Enter an offering with its first rate card, and submit it."""
    if request.method != "POST":
        form = OfferingForm(actor=actor, initial={"sla_credit_percent": STANDARD_CREDIT})
        return render(request, "catalog/offering_new.html", {"form": form})
    form = OfferingForm(request.POST, actor=actor)
    if form.is_valid():
        try:
            _enter(actor, form)
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("Submitted. The operator lists it; then you can make offers of it."))
            return redirect("my_offerings")
    return render(request, "catalog/offering_new.html", {"form": form}, status=422)


@actor_required(Capability.OPERATE)
def listings(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every offering, those that wait to be listed first and the data centres that do, for the operator."""
    waiting = queries.visible_to(actor).filter(status=OfferingStatus.SUBMITTED).order_by("id")
    context = {
        "waiting": waiting,
        "sites": sites.visible_to(actor).filter(status=SiteStatus.SUBMITTED).order_by("id"),
        "listing": listing(queries.visible_to(actor), request),
    }
    return render(request, "catalog/listings.html", context)


@require_POST
@actor_required(Capability.LIST, Capability.OPERATE)
def offering_step(request: HttpRequest, actor: Actor, offering_id: UUID, step: str) -> HttpResponse:
    """Take one step in the life of an offering."""
    verb = STEPS.get(step)
    if verb is None:
        raise NotFound
    try:
        moved = verb(actor, offering_id, now=clock.now())
    except DomainError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, _("%(name)s is now %(status)s.") % {"name": moved.name, "status": moved.status})
    return redirect("listings" if actor.can(Capability.OPERATE) else "my_offerings")


@transaction.atomic
def _enter(actor: Actor, form: OfferingForm) -> None:
    """Create, price and submit an offering as one step."""
    now = clock.now()
    offering = services.create(actor, form.spec(), now=now)
    services.publish_rate_card(actor, offering.id, form.rates(), currency=form.cleaned_data["currency"], now=now)
    services.submit(actor, offering.id, now=now)


def _card(offering: Offering) -> Card:
    return Card(offering, cells.code(offering), cells.attributes(offering))
