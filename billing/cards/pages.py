"""Paying by card, saved cards, and for finance the card payments with their refunds."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.actors.actor import Actor, Capability
from accounts.actors.pages import actor_required
from accounts.foundation import clock
from accounts.foundation.errors import DomainError
from accounts.web.listing import listing
from billing.cards import methods, queries, refunds, services
from billing.cards.forms import CardTopUpForm, RefundForm
from billing.cards.models import CardPayment
from billing.cards.rules import PaymentPurpose, PaymentStatus
from billing.gateway import stripe
from billing.gateway.errors import OutcomeUnknown
from billing.payments.forms import money
from billing.payments.pages import CURRENCY


@actor_required(Capability.VIEW_BUYING)
def cards(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The organisation's card payments and saved cards."""
    return _cards(request, actor, CardTopUpForm())


@require_POST
@actor_required(Capability.TRADE)
def card_top_up(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Ask for a page at Stripe, and lead there when it is made at once."""
    form = CardTopUpForm(request.POST)
    if not form.is_valid():
        return _cards(request, actor, form, status=400)
    now = clock.now()
    try:
        payment = services.request_top_up(
            actor,
            money(form.cleaned_data["amount"], CURRENCY),
            return_to=request.build_absolute_uri(reverse("card_methods")),
            now=now,
        )
    except DomainError as error:
        form.refuse(error)
        return _cards(request, actor, form, status=422)
    try:
        payment = services.push(payment.id, now=now)
    except OutcomeUnknown:
        messages.info(request, _("Stripe is slow to answer. The payment appears below in a moment."))
    if payment.url:
        return redirect(payment.url)
    return redirect("card_methods")


@require_POST
@actor_required(Capability.TRADE)
def card_save(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Ask for a page at Stripe to leave a card on, and lead there when it is made at once."""
    now = clock.now()
    return_to = request.build_absolute_uri(reverse("card_methods"))
    try:
        setup = methods.request_setup(actor, currency=CURRENCY, return_to=return_to, now=now)
        setup = methods.push_setup(setup.id, currency=CURRENCY, now=now)
    except DomainError as error:
        messages.error(request, error.detail)
        return redirect("card_methods")
    return redirect(setup.url) if setup.url else redirect("card_methods")


@require_POST
@actor_required(Capability.TRADE)
def card_choose(request: HttpRequest, actor: Actor, method_id: UUID) -> HttpResponse:
    """Collect invoices from this card, or from none when it is the one already."""
    chosen = None if queries.autopay_method_id(actor) == method_id else method_id
    methods.choose_for_invoices(actor, chosen, now=clock.now())
    return redirect("card_methods")


@require_POST
@actor_required(Capability.TRADE)
def card_remove(request: HttpRequest, actor: Actor, method_id: UUID) -> HttpResponse:
    """Forget a card."""
    methods.remove(actor, method_id, now=clock.now())
    messages.success(request, _("The card is forgotten."))
    return redirect("card_methods")


@require_POST
@actor_required(Capability.TRADE, Capability.OPERATE_BOOKS)
def invoice_collect(request: HttpRequest, actor: Actor, invoice_id: UUID) -> HttpResponse:
    """Collect what is open of an invoice from the chosen card."""
    try:
        services.collect_invoice(actor, invoice_id, now=clock.now())
    except DomainError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, _("The card is being charged; the invoice says so in a moment."))
    return redirect("invoice", invoice_id)


@actor_required(Capability.VIEW_BOOKS)
def card_payments(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every card payment, and the refunds that wait for a second person."""
    found = listing(queries.visible_payments(actor), request)
    waiting = queries.visible_refunds(actor).filter(status="requested").order_by("id")
    return render(
        request,
        "billing/card_payments.html",
        {
            "listing": found,
            "waiting": waiting,
            "may_approve": actor.can(Capability.APPROVE_BOOKS),
            "own_id": actor.user_id,
        },
    )


@actor_required(Capability.VIEW_BOOKS)
def card_payment(request: HttpRequest, actor: Actor, payment_id: UUID) -> HttpResponse:
    """One card payment with its refunds and disputes; finance sends money back here."""
    payment = queries.payment(actor, payment_id)
    form = RefundForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            amount = money(form.cleaned_data["amount"], payment.currency)
            refund = refunds.request(actor, payment_id, amount, reason=form.cleaned_data["reason"], now=clock.now())
        except DomainError as error:
            form.refuse(error)
        else:
            said = _("The refund is on its way.") if refund.transaction_id else _("A colleague must approve it.")
            messages.success(request, said)
            return redirect("card_payment", payment_id)
    return _payment(request, actor, payment, form)


@require_POST
@actor_required(Capability.APPROVE_BOOKS)
def refund_approve(request: HttpRequest, actor: Actor, refund_id: UUID) -> HttpResponse:
    """Let a refund go, or say no to it."""
    refund = queries.refund(actor, refund_id)
    try:
        if request.POST.get("answer") == "no":
            refunds.decline(actor, refund_id, now=clock.now())
        else:
            refunds.approve(actor, refund_id, now=clock.now())
    except DomainError as error:
        messages.error(request, error.detail)
    return redirect("card_payment", refund.payment_id)


def _payment(request: HttpRequest, actor: Actor, payment: CardPayment, form: RefundForm) -> HttpResponse:
    refundable = payment.status == PaymentStatus.SUCCEEDED and payment.purpose == PaymentPurpose.TOP_UP
    context = {
        "payment": payment,
        "form": form,
        "refunds": payment.refunds.select_related("requested_by").order_by("id"),
        "disputes": payment.disputes.order_by("id"),
        "may_refund": refundable and actor.can(Capability.OPERATE_BOOKS),
        "may_approve": actor.can(Capability.APPROVE_BOOKS),
        "own_id": actor.user_id,
    }
    return render(request, "billing/card_payment.html", context, status=422 if form.errors else 200)


def _cards(request: HttpRequest, actor: Actor, form: CardTopUpForm, *, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "currency": CURRENCY,
        "configured": stripe.from_settings().configured(),
        "methods": queries.methods(actor).order_by("id"),
        "autopay_method_id": queries.autopay_method_id(actor),
        "listing": listing(queries.visible_payments(actor).filter(organisation_id=actor.organisation()), request),
        "may_pay": actor.can(Capability.TRADE),
    }
    return render(request, "billing/cards.html", context, status=status)
