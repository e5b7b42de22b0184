"""What a person types to set a budget, a threshold or a credit limit."""

from decimal import Decimal
from typing import Any, ClassVar, Final

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import Organisation
from accounts.projects.models import Project
from accounts.web.forms import NamedChoiceField, PlainDecimal, StrictForm, StrictText

_SMALLEST: Final = Decimal("0.01")


class BudgetForm(StrictForm):
    """What a project may spend."""

    project = NamedChoiceField(label=_("Project"))
    limit = PlainDecimal(label=_("Budget"), max_digits=12, decimal_places=2, minimum=_SMALLEST)

    def __init__(self, *args: Any, projects: QuerySet[Project], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer_rows("project", projects)


class ThresholdForm(StrictForm):
    """Below which amount the owner is warned."""

    below = PlainDecimal(label=_("Warn below"), max_digits=12, decimal_places=2, minimum=_SMALLEST)


class CreditForm(StrictForm):
    """How far whose wallet may go below zero, and why."""

    fields_by_pointer: ClassVar = {"/organisation": "organisation"}

    organisation = NamedChoiceField(label=_("Organisation"))
    limit = PlainDecimal(label=_("Credit limit"), max_digits=12, decimal_places=2, minimum=Decimal(0))
    reason = StrictText(label=_("Reason"), max_length=200)

    def __init__(self, *args: Any, organisations: QuerySet[Organisation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer_rows("organisation", organisations)
