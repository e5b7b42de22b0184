"""Where Stripe brings its messages."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.foundation import clock
from billing.gateway import stripe
from billing.gateway.errors import ForgedNotice, GatewayAbsent
from billing.webhooks import services
from billing.webhooks.rules import MAX_BODY_BYTES

_PLAIN: Final = "text/plain; charset=utf-8"


@csrf_exempt  # the signature says who sends it
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Store a message that Stripe has signed, then answer; everything else happens afterwards.

    400 for what is not signed by Stripe or older than 300 s, 413 for what is too large, 404 without a Stripe account.
    """
    length = request.headers.get("Content-Length", "")
    if not length.isascii() or not length.isdigit() or int(length) > MAX_BODY_BYTES:
        return HttpResponse(
            "The message is too large, or does not say how large it is.", status=413, content_type=_PLAIN
        )
    try:
        # The raw body, before anything parses it: the signature is over exactly these bytes.
        notice = stripe.from_settings().notice(request.body, request.headers.get("Stripe-Signature", ""))
    except GatewayAbsent as error:
        return HttpResponse(error.detail, status=404, content_type=_PLAIN)
    except ForgedNotice as error:
        return HttpResponse(error.detail, status=400, content_type=_PLAIN)
    if not services.belongs_here(notice):
        return HttpResponse("The message is of another account or mode.", status=400, content_type=_PLAIN)
    services.receive(notice, now=clock.now())
    return HttpResponse("stored", content_type=_PLAIN)
