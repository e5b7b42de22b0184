"""The catalogue as a person searches it."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.actors.actor import Actor
from accounts.actors.pages import actor_required
from accounts.foundation import clock
from accounts.web.listing import listing
from catalog.offerings import cells, queries
from catalog.offerings.forms import NeedsForm
from catalog.offerings.models import Offering
from catalog.offerings.needs import CellAttributes, Needs

NEAREST: Final = 5  # offerings shown when none qualifies


@dataclass(frozen=True)
class Card:
    """An offering with what its cell is."""

    offering: Offering
    cell: str
    attributes: CellAttributes


@actor_required()
def catalogue(request: HttpRequest, _actor: Actor) -> HttpResponse:
    """Search what can be bought by what a job needs; say what comes closest when nothing fits."""
    form = NeedsForm(request.GET or None)
    needs = form.needs() if form.is_bound and form.is_valid() else Needs()
    found = listing(queries.matching(queries.listed(), needs), request)
    nearest = () if found.rows else queries.near_misses(queries.listed(), needs, limit=NEAREST)
    context = {
        "form": form,
        "listing": found,
        "cards": [_card(offering) for offering in found.rows],
        "nearest": nearest,
    }
    return render(request, "catalog/catalogue.html", context, status=400 if form.errors else 200)


@actor_required()
def offering(request: HttpRequest, actor: Actor, offering_id: UUID) -> HttpResponse:
    """One offering: what it is, where, and what its meters cost."""
    found = queries.one(actor, offering_id)
    card = queries.current_rate_card(found, clock.now())
    return render(request, "catalog/offering.html", {"card": _card(found), "rate_card": card})


def _card(offering: Offering) -> Card:
    return Card(offering, cells.code(offering), cells.attributes(offering))
