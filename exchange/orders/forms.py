"""The order ticket: what a person types to place an order, and to raise one."""

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.actors.actor import Actor
from accounts.projects import queries as projects
from accounts.web.forms import DeskTime, NamedChoiceField, PlainDecimal, StrictForm, WholeNumber
from catalog.measures.errors import MeasureError
from catalog.measures.money import to_minor
from catalog.offerings.forms import NeedsForm, PriceField
from exchange.markets.models import Market
from exchange.markets.rules import MAX_QUANTITY, MarketStatus
from exchange.orders.rules import OrderKind, OrderSpec, OrderTerms

_amount_field = partial(PlainDecimal, max_digits=17, decimal_places=2, minimum=Decimal(0), required=False)


class OrderForm(NeedsForm):
    """A whole new order. `spec()` of the valid form is what `orders.place` takes."""

    fields_by_pointer: ClassVar = {
        **NeedsForm.fields_by_pointer,
        "/quantity": "quantity_max",
        "/min_quantity": "quantity_min",
        "/extras_reserve": "extras_reserve",
        "/project": "project",
    }

    market = NamedChoiceField(label=_("Market"))
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[
            (OrderKind.BLOCK.value, _("Block: the same units over hours in a row, for a job that must not be cut")),
            (OrderKind.HOURLY.value, _("Hourly: every hour stands alone, from nothing to all units")),
        ],
        initial=OrderKind.BLOCK.value,
        widget=forms.RadioSelect,
    )
    quantity_max = WholeNumber(label=_("Units, at most"), minimum=1, maximum=MAX_QUANTITY)
    quantity_min = WholeNumber(
        label=_("Units, at least"),
        required=False,
        minimum=1,
        maximum=MAX_QUANTITY,
        help_text=_("For a block; empty: all or none"),
    )
    hours = WholeNumber(
        label=_("Hours in a row"),
        required=False,
        minimum=1,
        maximum=8784,
        help_text=_("For a block; empty: the whole window"),
    )
    earliest_at = DeskTime(label=_("Not before"), help_text=_("Asia/Shanghai, on the hour"))
    latest_at = DeskTime(label=_("Over by"), help_text=_("Asia/Shanghai; a block may start later in a longer window"))
    limit_price = PriceField(
        label=_("Limit, a unit and hour"), help_text=_("In the market's currency, without fee and tax")
    )
    budget = _amount_field(label=_("Budget in all"), help_text=_("With fee, tax and reserve; may stay empty"))
    extras_reserve = _amount_field(label=_("Reserve for extras"), help_text=_("Traffic, storage, energy"))
    single_site = forms.BooleanField(label=_("All units of a block in one delivery pool"), required=False)
    rolls_over = forms.BooleanField(label=_("Stay in the book for the next rounds while not filled"), required=False)
    project = forms.ChoiceField(label=_("Project"))

    field_order = (
        "kind",
        "market",
        "quantity_max",
        "quantity_min",
        "hours",
        "earliest_at",
        "latest_at",
        "limit_price",
        "budget",
        "extras_reserve",
        "project",
        "single_site",
        "rolls_over",
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer_rows("market", Market.objects.filter(status=MarketStatus.OPEN).order_by("name"))
        names = [(str(project.id), project.name) for project in projects.open_to(actor)]
        project_field = self.fields["project"]
        assert isinstance(project_field, forms.ChoiceField)
        project_field.choices = names

    def clean(self) -> dict[str, Any]:
        """Check the amounts against the coins of the market's currency."""
        cleaned = super().clean() or {}
        refuse_fractions(self, cleaned, "budget", "extras_reserve")
        return cleaned

    @property
    def need_names(self) -> frozenset[str]:
        """The fields that say what the job needs; the page groups them."""
        return frozenset(NeedsForm.base_fields)

    def spec(self) -> OrderSpec:
        """The order that the valid form says."""
        said = self.cleaned_data
        market: Market = said["market"]
        kind = OrderKind(said["kind"])
        is_block = kind is OrderKind.BLOCK
        window_hours = int((said["latest_at"] - said["earliest_at"]).total_seconds()) // 3600
        return OrderSpec(
            market_id=market.id,
            kind=kind,
            single_site=said["single_site"],
            project_id=UUID(said["project"]),
            terms=OrderTerms(
                quantity_max=said["quantity_max"],
                quantity_min=(said["quantity_min"] or said["quantity_max"]) if is_block else said["quantity_min"],
                hours=(said["hours"] or window_hours) if is_block else said["hours"],
                earliest_at=said["earliest_at"],
                latest_at=said["latest_at"],
                needs=self.needs(),
                limit_micros=said["limit_price"],
                budget_minor=minor(said["budget"], market.currency),
                extras_reserve_minor=minor(said["extras_reserve"], market.currency) or 0,
                rolls_over=said["rolls_over"],
            ),
        )


class RaiseForm(StrictForm):
    """A higher limit for an open order; it keeps the order's place in the queue."""

    limit_price = PriceField(label=_("New limit, a unit and hour"))

    def limit_micros(self) -> int:
        """The limit that the valid form says."""
        limit: int = self.cleaned_data["limit_price"]
        return limit


def minor(amount: Decimal | None, currency: str) -> int | None:
    """Return an amount as minor units of its currency; None stays None."""
    return None if amount is None else to_minor(amount, currency)


def refuse_fractions(form: StrictForm, said: Mapping[str, Any], *names: str) -> None:
    """Say at each field whose amount has more decimals than the currency of the chosen market."""
    market: Market | None = said.get("market")
    if market is None:
        return
    for name in names:
        try:
            minor(said.get(name), market.currency)
        except MeasureError as error:
            form.add_error(name, str(error))
