"""A preview in sentences for the order ticket."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.measures.price import format_micros
from catalog.offerings import wording
from exchange.markets import rules as market_rules
from exchange.orders.rules import OrderKind, OrderSpec
from exchange.previews import queries
from exchange.previews.estimates import PriceSource
from exchange.previews.queries import Outlook, Preview
from exchange.previews.rules import Aspect

OUTLOOKS: Final[Mapping[Outlook, str | Promise]] = {
    Outlook.COVERED: gettext_lazy(
        "All of it is there, also after everybody who bids as much or more has taken theirs."
    ),
    Outlook.PARTLY_COVERED: gettext_lazy("Part of it is there after everybody who bids as much or more."),
    Outlook.CONTESTED: gettext_lazy("There is supply at this limit, but orders that bid as much or more want it."),
    Outlook.NOTHING: gettext_lazy("There is no supply that it could use at this limit and in these hours."),
}

PRICE_SOURCES: Final[Mapping[PriceSource, str | Promise]] = {
    PriceSource.INDICATIVE: gettext_lazy("Indicative price of the coming round, same cells and hours"),
    PriceSource.LAST_ROUND: gettext_lazy("Price in the last round, same cells and hours"),
    PriceSource.INDEX: gettext_lazy("Index of the same kind and hub"),
    PriceSource.OPEN_RESERVE: gettext_lazy("Lowest compatible reserve in the book"),
}


def alternatives(seen: Preview) -> list[dict[str, Any]]:
    """Return for each alternative what to change, and the units, hours and funds that it then takes."""
    return [
        {
            "change": _change(seen, alternative.aspect, spec),
            "units": alternative.match.units,
            "is_block": spec.kind is OrderKind.BLOCK,
            "starts_at": market_rules.instant_of(seen.market.terms, alternative.match.start),
            "ends_at": market_rules.instant_of(seen.market.terms, alternative.match.end),
            "hold_minor": queries.hold_minor(spec, seen.rates, seen.market),
        }
        for alternative, spec in seen.alternatives
    ]


def reasons(seen: Preview) -> list[str]:
    """Return what is in the way, needs by their names on the ticket."""
    needs = wording.by_key(seen.spec.terms.needs)
    words = []
    for reason in seen.reasons:
        need = needs.get(reason.pointer.removeprefix("/needs/"))
        counted = {"need": need, "excluded": reason.excluded, "listed": seen.share.listed_cells}
        excludes = _("%(need)s excludes %(excluded)s of %(listed)s delivery pools")
        words.append(excludes % counted if need else reason.detail)
    return words


def _change(seen: Preview, aspect: Aspect, spec: OrderSpec) -> str:
    terms, market = spec.terms, seen.market
    if aspect is Aspect.PRICE:
        return _("limit %(price)s %(currency)s") % {
            "price": format_micros(terms.limit_micros),
            "currency": market.currency,
        }
    if aspect is Aspect.WINDOW:
        return _("other hours")
    if aspect is Aspect.QUANTITY:
        return _("%(units)s units") % {"units": terms.quantity_max}
    if aspect is Aspect.MINIMUM:
        return _("at least %(units)s units") % {"units": terms.quantity_min}
    if aspect is Aspect.SINGLE_SITE:
        return _("several delivery pools")
    before = dict(wording.in_words(seen.spec.terms.needs))
    after = dict(wording.in_words(terms.needs))
    changed = [f"{label}: {value}" for label, value in after.items() if before.get(label) != value]
    return "; ".join(changed) or _("without: %(needs)s") % {"needs": ", ".join(before.keys() - after.keys())}
