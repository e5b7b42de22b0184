"""Payouts as a provider sees its own, and as finance makes them."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.actors.actor import Actor, Capability
from accounts.actors.pages import actor_required
from accounts.audit import services as audit
from accounts.foundation import clock, ids
from accounts.foundation.errors import DomainError
from accounts.organisations import queries as organisations
from accounts.web.forms import StrictForm
from accounts.web.listing import listing
from billing.payouts import destinations, files, paying, queries, transfers
from billing.payouts.forms import ConfirmForm, DestinationForm, FailForm
from billing.payouts.models import Payout
from billing.payouts.rules import PayoutStatus

CURRENCY = "CNY"


@actor_required(Capability.VIEW_SELLING)
def my_payouts(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What a provider is owed, where it goes, and every payout."""
    return _my_payouts(request, actor, DestinationForm())


@require_POST
@actor_required(Capability.VIEW_SELLING)
def payout_destination(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Enter another bank account, which is for those who manage the organisation."""
    form = DestinationForm(request.POST)
    if form.is_valid():
        try:
            destinations.change(actor, **form.cleaned_data, now=clock.now())
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("Entered. Nothing is paid to it for 72 hours."))
            return redirect("my_payouts")
    return _my_payouts(request, actor, form)


@actor_required(Capability.VIEW_SELLING)
def my_payout(request: HttpRequest, actor: Actor, payout_id: UUID) -> HttpResponse:
    """One payout with its statement: the list of what it pays."""
    payout = queries.payout(actor, payout_id)
    return render(request, "billing/payout.html", {"payout": payout, "items": queries.items(payout)})


@actor_required(Capability.VIEW_BOOKS)
def payouts(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every payout, what is owed to whom, and the file for the bank."""
    rows = queries.with_accrued(queries.visible_payouts(actor))
    approved = rows.filter(status=PayoutStatus.APPROVED, currency=CURRENCY)
    context = {
        "payables": queries.visible_payables(actor),
        "listing": listing(rows, request),
        "approved": transfers.for_the_bank(approved).count(),
        "files": queries.visible_files(actor).order_by("-id")[:10] if actor.can(Capability.OPERATE_BOOKS) else [],
        "may_operate": actor.can(Capability.OPERATE_BOOKS),
    }
    return render(request, "billing/payouts.html", context)


@actor_required(Capability.VIEW_BOOKS)
def payout(request: HttpRequest, actor: Actor, payout_id: UUID) -> HttpResponse:
    """One payout, what it pays, and the next step with it."""
    return _show(request, actor, payout_id)


@require_POST
@actor_required(Capability.OPERATE_BOOKS)
def payout_due(request: HttpRequest, actor: Actor, payout_id: UUID) -> HttpResponse:
    """Pay what has accrued outside the schedule."""
    return _step(request, actor, payout_id, lambda: paying.make_due_now(actor, payout_id, now=clock.now()))


@require_POST
@actor_required(Capability.APPROVE_BOOKS)
def payout_approve(request: HttpRequest, actor: Actor, payout_id: UUID) -> HttpResponse:
    """Agree to it."""
    return _step(request, actor, payout_id, lambda: paying.approve(actor, payout_id, now=clock.now()))


@require_POST
@actor_required(Capability.OPERATE_BOOKS)
def payout_send(request: HttpRequest, actor: Actor, payout_id: UUID) -> HttpResponse:
    """Note that it was handed to the bank."""
    return _step(request, actor, payout_id, lambda: paying.send(actor, payout_id, now=clock.now()))


@require_POST
@actor_required(Capability.OPERATE_BOOKS)
def payout_confirm(request: HttpRequest, actor: Actor, payout_id: UUID) -> HttpResponse:
    """Note that the bank shows it."""
    form = ConfirmForm(request.POST)
    return _step(
        request, actor, payout_id,
        lambda: paying.confirm(actor, payout_id, form.cleaned_data["bank_reference"], now=clock.now()),
        confirm=form,
    )  # fmt: skip


@require_POST
@actor_required(Capability.OPERATE_BOOKS)
def payout_fail(request: HttpRequest, actor: Actor, payout_id: UUID) -> HttpResponse:
    """Note that the bank did not pay."""
    form = FailForm(request.POST)
    return _step(
        request, actor, payout_id,
        lambda: paying.fail(actor, payout_id, form.cleaned_data["reason"], now=clock.now()),
        fail=form,
    )  # fmt: skip


@require_POST
@actor_required(Capability.OPERATE_BOOKS)
def payout_fetch_back(request: HttpRequest, actor: Actor, payout_id: UUID) -> HttpResponse:
    """Fetch what the provider's bank sent back from the provider's Stripe balance."""
    try:
        transfers.fetch_back(actor, payout_id, now=clock.now())
    except DomainError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, _("Asked. The payout has failed once all of it is back."))
    return redirect("payout", payout_id)


@require_POST
@actor_required(Capability.OPERATE_BOOKS)
def transfer_file_new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Put what is approved and may be sent into a file."""
    try:
        file = paying.send_by_file(actor, CURRENCY, now=clock.now())
    except DomainError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, _("%(count)s payouts are in the file.") % {"count": file.payout_count})
    return redirect("payouts")


@actor_required(Capability.OPERATE_BOOKS)
def transfer_file(request: HttpRequest, actor: Actor, file_id: UUID) -> HttpResponse:
    """Hand out the file for the bank; who fetched it is on the trail, for it has account numbers in it."""
    file = queries.transfer_file(actor, file_id)
    rows = list(file.payouts.select_related("destination").order_by("id"))
    content = files.render(file, rows, debtor=organisations.get(actor, actor.organisation()).name)
    audit.record(actor, "transfer_file.fetch", "transfer_file", file.id, None, {"payouts": len(rows)}, now=clock.now())
    response = HttpResponse(content, content_type="application/xml")
    response["Content-Disposition"] = f'attachment; filename="{ids.spell("trf", file.id)}.xml"'
    return response


def _step(
    request: HttpRequest, actor: Actor, payout_id: UUID, step: Callable[[], Payout], **forms: StrictForm
) -> HttpResponse:
    """Take a step and come back to the payout; what is refused is said there."""
    if all(form.is_valid() for form in forms.values()):
        try:
            done = step()
        except DomainError as error:
            messages.error(request, error.detail)
        else:
            status = PayoutStatus(done.status).replace("_", " ")
            messages.success(request, _("The payout is %(status)s.") % {"status": status})
        return redirect("payout", payout_id)
    return _show(request, actor, payout_id, **forms)


def _show(request: HttpRequest, actor: Actor, payout_id: UUID, **refused: StrictForm) -> HttpResponse:
    found = queries.payout(actor, payout_id)
    destination = queries.destination(found.organisation_id)
    people = {found.made_due_by_id, found.first_approved_by_id}
    account = transfers.account_of(found.organisation_id)
    context = {
        "transfer": transfers.transfer_of(found),
        "account": account,
        "account_held_until": transfers.held_until(account)
        if account and clock.now() < transfers.held_until(account)
        else None,
        "payout": found,
        "items": queries.items(found),
        "destination": destination,
        "is_held": destination is not None and clock.now() < destination.held_until,
        "may_operate": actor.can(Capability.OPERATE_BOOKS),
        "may_approve": actor.can(Capability.APPROVE_BOOKS) and actor.user_id not in people,
        "confirm": refused.get("confirm", ConfirmForm()),
        "fail": refused.get("fail", FailForm()),
    }
    return render(request, "billing/payout_work.html", context, status=422 if refused else 200)


def _my_payouts(request: HttpRequest, actor: Actor, form: DestinationForm) -> HttpResponse:
    destination = queries.destination(actor.organisation())
    organisation_id = actor.organisation()
    rows = queries.with_accrued(queries.visible_payouts(actor).filter(organisation_id=organisation_id))
    context = {
        "payables": [row for row in queries.visible_payables(actor) if row.organisation_id == organisation_id],
        "listing": listing(rows, request),
        "destination": destination,
        "is_held": destination is not None and clock.now() < destination.held_until,
        "form": form,
        "may_change": actor.can(Capability.MANAGE_MEMBERS),
    }
    return render(request, "billing/my_payouts.html", context, status=422 if form.errors else 200)
