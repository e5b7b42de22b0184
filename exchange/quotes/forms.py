"""What a person types to ask for a firm quote."""

from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.actors.actor import Actor
from accounts.projects import queries as projects
from accounts.web.forms import DeskTime, NamedChoiceField, PlainDecimal, WholeNumber
from catalog.offerings.forms import NeedsForm
from exchange.markets.models import Market
from exchange.markets.rules import MAX_QUANTITY, MarketStatus
from exchange.orders.forms import minor, refuse_fractions
from exchange.quotes.rules import QuoteSpec


class QuoteForm(NeedsForm):
    """A rectangle of units and hours. `spec()` of the valid form is what `quotes.ask` takes."""

    # The fields are those of the order ticket where they mean the same, so that the ticket can be sent here as it is.
    fields_by_pointer: ClassVar = {
        **NeedsForm.fields_by_pointer,
        "/quantity": "quantity_max",
        "/starts_at": "earliest_at",
        "/ends_at": "latest_at",
        "/project": "project",
    }

    market = NamedChoiceField(label=_("Market"))
    quantity_max = WholeNumber(label=_("Units in every hour"), minimum=1, maximum=MAX_QUANTITY)
    earliest_at = DeskTime(label=_("From"), help_text=_("Asia/Shanghai, on the hour"))
    latest_at = DeskTime(label=_("To"), help_text=_("Asia/Shanghai"))
    budget = PlainDecimal(
        label=_("Budget in all"),
        help_text=_("With fee and tax; may stay empty"),
        max_digits=17,
        decimal_places=2,
        minimum=Decimal(0),
        required=False,
    )
    single_site = forms.BooleanField(label=_("All units in one delivery pool"), required=False)
    project = forms.ChoiceField(label=_("Project"))

    field_order = ("market", "quantity_max", "earliest_at", "latest_at", "budget", "project", "single_site")

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer_rows("market", Market.objects.filter(status=MarketStatus.OPEN).order_by("name"))
        names = [(str(project.id), project.name) for project in projects.open_to(actor)]
        project_field = self.fields["project"]
        assert isinstance(project_field, forms.ChoiceField)
        project_field.choices = names

    def clean(self) -> dict[str, Any]:
        """Check the budget against the coins of the market's currency."""
        cleaned = super().clean() or {}
        refuse_fractions(self, cleaned, "budget")
        return cleaned

    @property
    def need_names(self) -> frozenset[str]:
        """The fields that say what the job needs; the page groups them."""
        return frozenset(NeedsForm.base_fields)

    def spec(self) -> QuoteSpec:
        """What the valid form asks for."""
        said = self.cleaned_data
        market: Market = said["market"]
        return QuoteSpec(
            market_id=market.id,
            quantity=said["quantity_max"],
            starts_at=said["earliest_at"],
            ends_at=said["latest_at"],
            needs=self.needs(),
            single_site=said["single_site"],
            budget_minor=minor(said["budget"], market.currency),
            project_id=UUID(said["project"]),
        )
