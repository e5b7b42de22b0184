"""Which pages the header offers: those the actor may open, grouped by desk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.actors.actor import Capability
from accounts.actors.requests import actor_of
from accounts.organisations import queries as organisations


@dataclass(frozen=True)
class Destination:
    """One page of the header: its words, its URL name and the capability that opens it."""

    label: str | Promise
    route: str
    capability: Capability | None = None


DESKS: Final[Sequence[tuple[str | Promise, Sequence[Destination]]]] = (
    (
        _("Market"),
        (
            Destination(_("Overview"), "home"),
            Destination(_("Catalogue"), "catalogue"),
            Destination(_("Rounds and prices"), "rounds"),
            Destination(_("Market data"), "market_data"),
        ),
    ),
    (
        _("Buying"),
        (
            Destination(_("Orders"), "orders", Capability.VIEW_BUYING),
            Destination(_("Quotes"), "quotes", Capability.VIEW_BUYING),
            Destination(_("Leases"), "leases", Capability.VIEW_BUYING),
            Destination(_("Usage"), "usage", Capability.VIEW_BUYING),
            Destination(_("Invoices"), "invoices", Capability.VIEW_BUYING),
            Destination(_("Fapiao"), "my_fapiao", Capability.VIEW_BUYING),
            Destination(_("Wallet"), "wallet", Capability.VIEW_BUYING),
            Destination(_("Budgets"), "limits", Capability.VIEW_BUYING),
            Destination(_("Cards"), "card_methods", Capability.VIEW_BUYING),
        ),
    ),
    (
        _("Selling"),
        (
            Destination(_("Offerings"), "my_offerings", Capability.VIEW_SELLING),
            Destination(_("Offers"), "my_offers", Capability.VIEW_SELLING),
            Destination(_("Deliveries"), "deliveries", Capability.VIEW_SELLING),
            Destination(_("Statements"), "statements", Capability.VIEW_SELLING),
            Destination(_("Stripe"), "stripe_account", Capability.VIEW_SELLING),
            Destination(_("Payouts"), "my_payouts", Capability.VIEW_SELLING),
        ),
    ),
    (
        _("Books"),
        (
            Destination(_("Dashboard"), "finance_dashboard", Capability.VIEW_BOOKS),
            Destination(_("Trial balance"), "trial_balance", Capability.VIEW_BOOKS),
            Destination(_("Journals"), "journals", Capability.VIEW_BOOKS),
            Destination(_("Unmatched"), "unmatched_items", Capability.VIEW_BOOKS),
            Destination(_("Breaks"), "breaks", Capability.VIEW_BOOKS),
            Destination(_("Month close"), "months", Capability.VIEW_BOOKS),
        ),
    ),
    (
        _("Billing"),
        (
            Destination(_("All invoices"), "all_invoices", Capability.VIEW_BOOKS),
            Destination(_("Fapiao requests"), "fapiao_queue", Capability.VIEW_BOOKS),
            Destination(_("Credit limits"), "credit", Capability.VIEW_BOOKS),
            Destination(_("Vouchers"), "vouchers", Capability.VIEW_BOOKS),
            Destination(_("Parked accounts"), "parked_accounts", Capability.VIEW_BOOKS),
        ),
    ),
    (
        _("Rules"),
        (
            Destination(_("Rules by date"), "policies", Capability.VIEW_BOOKS),
            Destination(_("Rate cards"), "rate_cards", Capability.VIEW_BOOKS),
            Destination(_("Customer classes"), "customer_classes", Capability.VIEW_BOOKS),
            Destination(_("Price adjustments"), "price_adjustments", Capability.VIEW_BOOKS),
        ),
    ),
    (
        _("Payments"),
        (
            Destination(_("Top-ups"), "top_ups_to_confirm", Capability.VIEW_BOOKS),
            Destination(_("Bank statements"), "bank_statements", Capability.VIEW_BOOKS),
            Destination(_("Card payments"), "card_payments", Capability.VIEW_BOOKS),
            Destination(_("Messages of Stripe"), "stripe_messages", Capability.VIEW_BOOKS),
            Destination(_("Payouts"), "payouts", Capability.VIEW_BOOKS),
        ),
    ),
    (
        _("Admission"),
        (
            Destination(_("Organisations"), "organisations", Capability.OPERATE),
            Destination(_("Listings"), "listings", Capability.OPERATE),
        ),
    ),
    (
        _("Support"),
        (
            Destination(_("All orders"), "all_orders", Capability.SUPPORT),
            Destination(_("All leases"), "all_leases", Capability.SUPPORT),
            Destination(_("Rounds to look at"), "troubled_rounds", Capability.SUPPORT),
        ),
    ),
    (
        _("Organisation"),
        (
            Destination(_("Members"), "members", Capability.MANAGE_MEMBERS),
            Destination(_("API keys"), "api_keys", Capability.MANAGE_KEYS),
        ),
    ),
)


def navigation(request: HttpRequest) -> Mapping[str, Any]:
    """Context processor: `navigation`, a list of groups with their links, and `acting_for`, the organisation."""
    actor = actor_of(request)
    if actor is None or actor.organisation_id is None:
        return {"navigation": [], "acting_for": None}
    groups = []
    for name, destinations in DESKS:
        links = [
            {
                "label": item.label,
                "url": (url := reverse(item.route)),
                "current": request.path == url,
            }
            for item in destinations
            if item.capability is None or actor.can(item.capability)
        ]
        if links:
            groups.append({"name": name, "links": links})
    return {"navigation": groups, "acting_for": organisations.get(actor, actor.organisation_id)}
