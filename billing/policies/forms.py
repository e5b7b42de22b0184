"""What a person types to propose a change of the rules."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.foundation.row_results import RowResult
from accounts.foundation.tables import Row
from accounts.web.forms import DeskTime, StrictForm, StrictText
from accounts.web.uploads import TextFileForm
from billing.policies.rules import MAX_FILE_BYTES, KindName
from billing.policies.tax_rates import CATEGORIES

KINDS = ((KindName.TAX_RATE.value, _("Tax rates")),)


class TaxRateForm(StrictForm):
    """One row of the tax table."""

    jurisdiction = StrictText(label=_("Country, such as CN"), max_length=2)
    category = forms.ChoiceField(label=_("Category (EN 16931)"), choices=[(code, code) for code in CATEGORIES])
    percent = StrictText(label=_("Percent"), max_length=12)
    effective_from = DeskTime(label=_("From (Asia/Shanghai)"))
    effective_to = DeskTime(label=_("To, if it ends (Asia/Shanghai)"), required=False)
    source = StrictText(label=_("Where it is from"), max_length=200)
    reason = StrictText(label=_("Reason"), max_length=200)

    def row(self) -> Row:
        """Return the valid form as a row of the table."""
        said: dict[str, Any] = dict(self.cleaned_data)
        said.pop("reason")
        return Row(1, {name: _spelled(value) for name, value in said.items()})

    def show(self, result: RowResult) -> None:
        """Show what is wrong with the row beside its fields."""
        for problem in result.problems:
            self.add_error(problem.field if problem.field in self.fields else None, problem.detail)


def _spelled(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value or "")


class ImportForm(TextFileForm):
    """Many rows of one table."""

    largest = MAX_FILE_BYTES

    kind = forms.ChoiceField(label=_("Table"), choices=KINDS)
    reason = StrictText(label=_("Reason"), max_length=200)
    file = forms.FileField(label=_("Rows (CSV)"), max_length=120)
