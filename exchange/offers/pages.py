"""Offers as a provider makes and follows them."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.actors.actor import Actor, Capability
from accounts.actors.pages import actor_required
from accounts.events import queries as events
from accounts.foundation import clock
from accounts.foundation.errors import DomainError
from accounts.web.listing import listing
from exchange.markets import proposals
from exchange.offers import queries, services
from exchange.offers.forms import InstantPriceForm, LowerForm, OfferForm
from exchange.offers.models import Offer
from exchange.offers.rules import LIVE


@actor_required(Capability.VIEW_SELLING)
def my_offers(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The organisation's offers, newest first."""
    found = listing(queries.visible_to(actor).filter(provider_id=actor.organisation()), request)
    return render(request, "exchange/offers.html", {"listing": found, "may_list": actor.can(Capability.LIST)})


@actor_required(Capability.LIST)
def offer_new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Offer capacity of a listed offering."""
    if request.method != "POST":
        form = OfferForm(actor=actor, initial=_suggestions(request))
        return render(request, "exchange/offer_new.html", {"form": form})
    form = OfferForm(request.POST, actor=actor)
    if form.is_valid():
        try:
            offer = services.place(
                actor, form.spec(), lists_capacity=form.cleaned_data["lists_capacity"], now=clock.now()
            )
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("The offer is in the book for the next gate."))
            return redirect("my_offer", offer_id=offer.id)
    return render(request, "exchange/offer_new.html", {"form": form}, status=422)


@actor_required(Capability.VIEW_SELLING)
def my_offer(request: HttpRequest, actor: Actor, offer_id: UUID) -> HttpResponse:
    """One offer: what it says and what was sold of it."""
    return _detail(request, actor, queries.get(actor, offer_id), LowerForm())


@require_POST
@actor_required(Capability.LIST)
def offer_lower(request: HttpRequest, actor: Actor, offer_id: UUID) -> HttpResponse:
    """Lower the reserve of a live offer."""
    form = LowerForm(request.POST)
    if form.is_valid():
        try:
            services.amend(actor, offer_id, reserve_micros=form.reserve_micros(), now=clock.now())
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("The reserve is changed."))
            return redirect("my_offer", offer_id=offer_id)
    return _detail(request, actor, queries.get(actor, offer_id), form, status=422)


@require_POST
@actor_required(Capability.LIST)
def offer_instant_price(request: HttpRequest, actor: Actor, offer_id: UUID) -> HttpResponse:
    """Set the price at which a live offer is sold at once, or take it off."""
    form = InstantPriceForm(request.POST)
    if form.is_valid():
        try:
            services.amend(actor, offer_id, instant_price_micros=form.instant_price_micros(), now=clock.now())
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("The instant price is changed."))
            return redirect("my_offer", offer_id=offer_id)
    return _detail(request, actor, queries.get(actor, offer_id), LowerForm(), instant_form=form, status=422)


@require_POST
@actor_required(Capability.LIST)
def offer_withdraw(request: HttpRequest, actor: Actor, offer_id: UUID) -> HttpResponse:
    """Take what is left of an offer off the market."""
    try:
        services.withdraw(actor, offer_id, now=clock.now())
    except DomainError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, _("Withdrawn; the unsold capacity is free again."))
    return redirect("my_offer", offer_id=offer_id)


def _detail(
    request: HttpRequest,
    actor: Actor,
    offer: Offer,
    form: LowerForm,
    *,
    instant_form: InstantPriceForm | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "offer": offer,
        "form": form,
        "instant_form": instant_form or InstantPriceForm(),
        "is_live": offer.status in LIVE and offer.provider_id == actor.organisation_id and actor.can(Capability.LIST),
        "trades": offer.trades.order_by("starts_at", "id"),
        "timeline": events.timeline(actor, "offer", offer.id),
    }
    return render(request, "exchange/offer.html", context, status=status)


def _suggestions(request: HttpRequest) -> dict[str, Any]:
    """What an empty form shows: the offering it came from, and the first hours a market delivers."""
    first = proposals.initial(request.GET.get("market", ""), start="starts_at", end="ends_at", now=clock.now())
    return {"lists_capacity": True, **request.GET.dict(), **first}
