"""The wallet of a buyer, and the top-ups that finance confirms."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.actors.actor import Actor, Capability
from accounts.actors.pages import actor_required
from accounts.foundation import clock
from accounts.foundation.errors import DomainError
from accounts.web.forms import StrictForm
from accounts.web.listing import listing
from billing.ledger import queries as ledger
from billing.payments import queries, services, suspense
from billing.payments.forms import BankLineForm, GiveBackForm, MatchForm, SplitForm, TopUpForm, money
from billing.payments.models import BankReceipt, TopUp
from billing.payments.rules import ReceiptStatus, TopUpStatus

# Wallets are opened in it; other currencies follow from a market's trades.
CURRENCY = "CNY"


@actor_required(Capability.VIEW_BUYING)
def wallet(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Funds, what holds them, top-ups on their way, and every movement."""
    return _wallet(request, actor, TopUpForm())


@require_POST
@actor_required(Capability.TRADE)
def top_up_request(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Announce a bank transfer."""
    form = TopUpForm(request.POST)
    if not form.is_valid():
        return _wallet(request, actor, form, status=400)
    top_up = services.request_top_up(actor, money(form.cleaned_data["amount"], CURRENCY), now=clock.now())
    messages.success(request, _("Transfer the amount and quote %(reference)s.") % {"reference": top_up.reference})
    return redirect("wallet")


@actor_required(Capability.VIEW_BOOKS)
def top_ups_to_confirm(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every top-up, those that wait for their money first in the eye of finance."""
    found = listing(queries.visible_top_ups(actor), request)
    waiting = queries.visible_top_ups(actor).filter(status=TopUpStatus.AWAITING).order_by("id")
    return render(
        request,
        "billing/top_ups.html",
        {"listing": found, "waiting": waiting, "may_confirm": actor.can(Capability.OPERATE_BOOKS)},
    )


@actor_required(Capability.VIEW_BOOKS)
def top_up_confirm(request: HttpRequest, actor: Actor, top_up_id: UUID) -> HttpResponse:
    """Confirm a top-up with the line that the bank shows."""
    top_up = queries.top_up(actor, top_up_id)
    form = BankLineForm(
        request.POST or None, initial={"payer": top_up.organisation.name, "remittance": top_up.reference}
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.confirm(actor, top_up_id, form.line(top_up.currency), now=clock.now())
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("The money is in the wallet."))
            return redirect("top_ups_to_confirm")
    return _confirm(request, actor, top_up, form)


@actor_required(Capability.VIEW_BOOKS)
def receipt_match(request: HttpRequest, actor: Actor, receipt_id: UUID) -> HttpResponse:
    """Say whose a receipt in suspense is: one top-up's of its amount, several that add up to it, or nobody's."""
    receipt = queries.receipt(actor, receipt_id)
    if request.method != "POST":
        return _receipt(request, actor, receipt)
    form = MatchForm(request.POST, candidates=queries.awaiting_like(actor, receipt))
    return _deal_with(
        request, actor, receipt, "match", form,
        lambda: services.match_receipt(actor, receipt.id, top_up_id=form.cleaned_data["top_up"].id, now=clock.now()),
        _("Matched: the money has left suspense and is in the wallet."),
    )  # fmt: skip


@require_POST
@actor_required(Capability.OPERATE_BOOKS)
def receipt_split(request: HttpRequest, actor: Actor, receipt_id: UUID) -> HttpResponse:
    """Confirm several top-ups with one transfer."""
    receipt = queries.receipt(actor, receipt_id)
    form = SplitForm(request.POST, candidates=queries.awaiting_parts_of(actor, receipt))
    return _deal_with(
        request, actor, receipt, "split", form,
        lambda: suspense.split(
            actor, receipt.id, [top_up.id for top_up in form.cleaned_data["top_ups"]], now=clock.now()
        ),
        _("Split: each part is in its wallet."),
    )  # fmt: skip


@require_POST
@actor_required(Capability.OPERATE_BOOKS)
def receipt_return(request: HttpRequest, actor: Actor, receipt_id: UUID) -> HttpResponse:
    """Note that the money was sent back."""
    receipt = queries.receipt(actor, receipt_id)
    form = GiveBackForm(request.POST)
    return _deal_with(
        request, actor, receipt, "give_back", form,
        lambda: suspense.give_back(actor, receipt.id, reason=form.cleaned_data["reason"], now=clock.now()),
        _("Noted: the money has left suspense for its payer."),
    )  # fmt: skip


def _deal_with(
    request: HttpRequest,
    actor: Actor,
    receipt: BankReceipt,
    name: str,
    form: StrictForm,
    step: Callable[[], object],
    done: str,
) -> HttpResponse:
    """Take a step with a receipt; a form that is refused is shown with the reason beside its field."""
    if form.is_valid():
        try:
            step()
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, done)
            return redirect("unmatched_items")
    return _receipt(request, actor, receipt, **{name: form})


def _receipt(request: HttpRequest, actor: Actor, receipt: BankReceipt, **refused: StrictForm) -> HttpResponse:
    context = {
        "receipt": receipt,
        "match": MatchForm(candidates=queries.awaiting_like(actor, receipt)),
        "split": SplitForm(candidates=queries.awaiting_parts_of(actor, receipt)),
        "give_back": GiveBackForm(),
        "may_match": actor.can(Capability.OPERATE_BOOKS) and receipt.status == ReceiptStatus.UNMATCHED,
    } | refused
    return render(request, "billing/receipt_match.html", context, status=422 if refused else 200)


def _confirm(request: HttpRequest, actor: Actor, top_up: TopUp, form: BankLineForm) -> HttpResponse:
    context = {"top_up": top_up, "form": form, "may_confirm": actor.can(Capability.OPERATE_BOOKS)}
    return render(request, "billing/top_up_confirm.html", context, status=422 if form.errors else 200)


def _wallet(request: HttpRequest, actor: Actor, form: TopUpForm, *, status: int = 200) -> HttpResponse:
    organisation_id = actor.organisation()
    context = {
        "wallets": ledger.wallets(organisation_id) or [ledger.funds(organisation_id, CURRENCY)],
        "holds": ledger.visible_holds(actor).filter(organisation_id=organisation_id, closed_at__isnull=True),
        "top_ups": queries.visible_top_ups(actor).filter(organisation_id=organisation_id).order_by("-id")[:10],
        "listing": listing(ledger.wallet_entries(organisation_id), request),
        "form": form,
        "currency": CURRENCY,
        "may_top_up": actor.can(Capability.TRADE),
    }
    return render(request, "billing/wallet.html", context, status=status)
