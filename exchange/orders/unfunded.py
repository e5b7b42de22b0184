"""Withdrawing what a buyer has open in the book whose wallet ran out and is stopped."""

from datetime import datetime
from typing import Final

from django.db import transaction

from accounts.actors.actor import Actor
from accounts.foundation.failures import Failures
from billing.landings.models import WalletLanding
from billing.landings.rules import NO_NEW_USE
from exchange.orders import rules, services
from exchange.orders.errors import OrderChangedMeanwhile
from exchange.orders.models import Order
from exchange.orders.rules import OrderStatus
from exchange.rounds import services as rounds
from exchange.rounds.errors import GateClosed, NoCancelPhase

_LANDING: Final = Actor.system("landings")


def withdraw(*, now: datetime) -> int:
    """Withdraw the open orders of stopped wallets; return how many. Safe to run twice and at once.

    One in the no-cancel phase waits for its round, and does not roll over after it.
    """
    failures, count = Failures(), 0
    for organisation_id, currency in WalletLanding.objects.filter(status__in=NO_NEW_USE).values_list(
        "organisation_id", "currency"
    ):
        orders = Order.objects.filter(buyer_id=organisation_id, currency=currency, status=OrderStatus.OPEN)
        for order in orders.select_related("market").order_by("id"):
            with failures.kept(f"withdrawing {order.id}"):
                count += _withdraw(order, now=now)
    failures.raise_any()
    return count


def _withdraw(read: Order, *, now: datetime) -> bool:
    try:
        with transaction.atomic():
            # As when its buyer cancels it: the round first, then the wallet, then the order.
            entry = rounds.check_may_lower(read.market, accepted_at=read.revised_at, now=now)
            rules.check_move(read.status, OrderStatus.CANCELLED)
            services.close(_LANDING, read, OrderStatus.CANCELLED, now=entry.accepted_at)
    except (NoCancelPhase, GateClosed, OrderChangedMeanwhile):
        return False  # the round has it; the next look finds what is left
    return True
