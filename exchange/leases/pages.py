"""Leases as the buyer uses them and the provider delivers them."""

from collections.abc import Callable
from typing import Any, Final
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
from accounts.web.forms import StrictForm
from accounts.web.listing import listing
from exchange.leases import pauses, queries, resales, returns, rules, services
from exchange.leases.forms import HandOverForm, PauseForm, ResaleForm, ResumeForm, ReturnForm
from exchange.leases.models import Lease
from exchange.leases.rules import BEFORE_HAND_OVER, RUNNING, LeaseStatus, Rectangle
from exchange.offers.rules import LIVE

LATEST_OFFERS: Final = 20  # of a lease's hours, on its page


@actor_required(Capability.VIEW_BUYING)
def leases(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What the organisation has bought, newest first."""
    found = listing(queries.visible_to(actor).filter(buyer_id=actor.organisation()), request)
    return render(request, "exchange/leases.html", {"listing": found, "is_provider": False})


@actor_required(Capability.VIEW_SELLING)
def deliveries(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What the organisation has to deliver, newest first."""
    found = listing(queries.visible_to(actor).filter(provider_id=actor.organisation()), request)
    return render(request, "exchange/leases.html", {"listing": found, "is_provider": True})


@actor_required(Capability.SUPPORT, Capability.OPERATE)
def all_leases(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every member's leases, for those who help."""
    context = {"listing": listing(queries.visible_to(actor), request), "is_staff": True}
    return render(request, "exchange/leases.html", context)


@actor_required(Capability.VIEW_BUYING, Capability.VIEW_SELLING, Capability.SUPPORT, Capability.OPERATE)
def lease(request: HttpRequest, actor: Actor, lease_id: UUID) -> HttpResponse:
    """One lease: access for its buyer, delivery for its provider, and what was there when."""
    return _detail(request, actor, queries.get(actor, lease_id), HandOverForm())


@require_POST
@actor_required(Capability.DELIVER)
def lease_acknowledge(request: HttpRequest, actor: Actor, lease_id: UUID) -> HttpResponse:
    """Say that the lease will be delivered."""
    return _do(request, lease_id, lambda: services.acknowledge(actor, lease_id, now=clock.now()), _("Acknowledged."))


@require_POST
@actor_required(Capability.DELIVER)
def lease_heartbeat(request: HttpRequest, actor: Actor, lease_id: UUID) -> HttpResponse:
    """Say that the lease is being delivered."""
    return _do(request, lease_id, lambda: services.heartbeat(actor, lease_id, now=clock.now()), _("Heartbeat taken."))


@require_POST
@actor_required(Capability.DELIVER)
def lease_activate(request: HttpRequest, actor: Actor, lease_id: UUID) -> HttpResponse:
    """Hand the lease over with its access details."""
    form = HandOverForm(request.POST)
    if form.is_valid():
        try:
            services.activate(actor, lease_id, access=form.cleaned_data["access"], now=clock.now())
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("Handed over. The buyer sees the access details."))
            return redirect("lease", lease_id=lease_id)
    return _detail(request, actor, queries.get(actor, lease_id), form, status=422)


@require_POST
@actor_required(Capability.TRADE)
def lease_return(request: HttpRequest, actor: Actor, lease_id: UUID) -> HttpResponse:
    """Hand units of the lease back before their time."""
    form = ReturnForm(request.POST)

    def hand_back() -> str:
        credited = returns.hand_back(actor, lease_id, form.rectangle(), now=clock.now()).credited
        return _("Handed back. %(credited)s of the price is credited.") % {"credited": credited}

    return _change(request, actor, lease_id, {"returning": form}, form, hand_back)


@require_POST
@actor_required(Capability.TRADE)
def lease_resell(request: HttpRequest, actor: Actor, lease_id: UUID) -> HttpResponse:
    """Offer units of the lease to others in the next rounds."""
    form = ResaleForm(request.POST)

    def sell_back() -> str:
        resales.sell_back(actor, lease_id, form.spec(), now=clock.now())
        return _("On offer from the next gate on, until it is sold or you withdraw it.")

    return _change(request, actor, lease_id, {"reselling": form}, form, sell_back)


@require_POST
@actor_required(Capability.TRADE)
def lease_resale_withdraw(request: HttpRequest, actor: Actor, lease_id: UUID, offer_id: UUID) -> HttpResponse:
    """Take what is not sold of an offer of the lease's hours off the market."""
    done = _("Withdrawn. What was not sold is yours to use.")
    return _do(request, lease_id, lambda: resales.withdraw(actor, lease_id, offer_id, now=clock.now()), done)


@require_POST
@actor_required(Capability.TRADE)
def lease_pause(request: HttpRequest, actor: Actor, lease_id: UUID) -> HttpResponse:
    """Do without the lease for some hours ahead."""
    form = PauseForm(request.POST)

    def pause() -> str:
        pauses.pause(actor, lease_id, pauses.Window(**form.cleaned_data), now=clock.now())
        return _("Paused. The provider keeps the units for you.")

    return _change(request, actor, lease_id, {"pausing": form}, form, pause)


@require_POST
@actor_required(Capability.TRADE)
def lease_resume(request: HttpRequest, actor: Actor, lease_id: UUID) -> HttpResponse:
    """Take the paused lease up again."""
    form = ResumeForm(request.POST)

    def resume() -> str:
        pauses.resume(actor, lease_id, starts_at=form.cleaned_data["starts_at"], now=clock.now())
        return _("The lease goes on from then.")

    return _change(request, actor, lease_id, {"resuming": form}, form, resume)


def _change(
    request: HttpRequest,
    actor: Actor,
    lease_id: UUID,
    shown: dict[str, StrictForm],
    form: StrictForm,
    verb: Callable[[], str],
) -> HttpResponse:
    """Do what a buyer typed, or show the lease with the form (`shown` by its name in the page) and what is wrong."""
    if form.is_valid():
        try:
            done = verb()
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, done)
            return redirect("lease", lease_id=lease_id)
    return _detail(request, actor, queries.get(actor, lease_id), HandOverForm(), shown=shown, status=422)


def _do(request: HttpRequest, lease_id: UUID, verb: Callable[[], Any], done: str) -> HttpResponse:
    try:
        verb()
    except DomainError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, done)
    return redirect("lease", lease_id=lease_id)


def _detail(
    request: HttpRequest,
    actor: Actor,
    lease: Lease,
    form: HandOverForm,
    *,
    shown: dict[str, StrictForm] | None = None,
    status: int = 200,
) -> HttpResponse:
    delivers = lease.provider_id == actor.organisation_id and actor.can(Capability.DELIVER)
    buys = lease.buyer_id == actor.organisation_id or actor.is_staff
    order_id, quote_id = queries.bought_by(lease) if buys else (None, None)
    context = {
        "lease": lease,
        "form": form,
        "is_staff": actor.is_staff,
        "is_provider": lease.provider_id == actor.organisation_id,
        "order_id": order_id,
        "quote_id": quote_id,
        "access": queries.access_of(actor, lease),
        "segments": queries.segments(lease),
        "contracted": queries.contracted_unit_hours(lease),
        "timeline": events.timeline(actor, "lease", lease.id),
        "may_acknowledge": delivers and lease.status == LeaseStatus.SCHEDULED,
        "may_activate": delivers and lease.status in BEFORE_HAND_OVER and lease.status != LeaseStatus.SCHEDULED,
        "may_heartbeat": delivers and lease.status in RUNNING,
    }
    return render(request, "exchange/lease.html", context | _changes(actor, lease) | (shown or {}), status=status)


def _changes(actor: Actor, lease: Lease) -> dict[str, Any]:
    """What is still owed and paused of a lease, and for its buyer what is on offer and the forms to change it."""
    runs, paused, stated = queries.owed(lease), queries.pauses(lease), queries.stated_credits(lease)
    first = max(lease.starts_at, rules.first_change(queries.market_of(lease).terms, now=clock.now()))
    may_change = (
        lease.buyer_id == actor.organisation_id
        and actor.can(Capability.TRADE)
        and lease.status not in rules.OVER
        and first < lease.ends_at
    )
    window = {"starts_at": first, "ends_at": lease.ends_at}
    to_come = any(one.ends_at > first for one in paused)
    # Whatever is handed back, sold back or paused already is not there to be given up again.
    may_give_up = may_change and any(run.ends_at > first for run in runs)
    return {
        "runs": runs,
        "paused": paused,
        "is_reduced": runs != [Rectangle(lease.quantity, lease.starts_at, lease.ends_at)],
        "stated": stated,
        "offers": list(queries.resales(actor, lease.id)[:LATEST_OFFERS]) if queries.sells_back(actor, lease) else [],
        "live": LIVE,
        "may_withdraw": lease.buyer_id == actor.organisation_id and actor.can(Capability.TRADE),
        "reselling": ResaleForm(initial=window | {"quantity": lease.quantity})
        if may_give_up and stated.resales_ppm
        else None,
        "returning": ReturnForm(initial=window | {"quantity": lease.quantity})
        if may_give_up and stated.returns_ppm
        else None,
        "pausing": PauseForm(initial=window) if may_give_up and stated.pauses_ppm else None,
        "resuming": ResumeForm(initial={"starts_at": first}) if may_change and to_come else None,
    }
