"""What a person types to propose a change of the rules."""

from datetime import datetime
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.foundation.row_results import RowResult
from accounts.foundation.tables import Row
from accounts.web.forms import DeskTime, StrictForm, StrictText
from accounts.web.uploads import TextFileForm
from billing.policies.kinds import KINDS
from billing.policies.rules import MAX_FILE_BYTES, KindName

TITLES: Final = {
    KindName.TAX_RATE: _("Tax rates"),
    KindName.REFUND_LIMIT: _("Refunds that one person may send"),
    KindName.PAYOUT_TERMS: _("Payouts"),
    KindName.LANDING_HOURS: _("Wallets that ran out"),
    KindName.CLOSING_THRESHOLD: _("Breaks that keep a month open"),
    KindName.BILL_BOUND: _("Safety bounds of bills"),
}
_LONGEST: Final = 200
TIMES: Final = ("effective_from", "effective_to")


class RowForm(StrictForm):
    """One row of a table; what its cells may say is read as a file's are."""

    def __init__(self, kind: KindName, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        table = KINDS[kind]
        for name in (*table.required, *table.optional):
            label, is_required = name.replace("_", " ").capitalize(), name in table.required
            if name in TIMES:
                self.fields[name] = DeskTime(label=f"{label} (Asia/Shanghai)", required=is_required)
            else:
                self.fields[name] = StrictText(label=label, max_length=_LONGEST, required=is_required)
        self.fields["reason"] = StrictText(label=_("Reason"), max_length=_LONGEST)

    def row(self) -> Row:
        """Return the valid form as a row of the table."""
        said = {name: _spelled(value) for name, value in self.cleaned_data.items() if name != "reason"}
        return Row(1, said)

    def show(self, result: RowResult) -> None:
        """Show what is wrong with the row beside its fields."""
        for problem in result.problems:
            self.add_error(problem.field if problem.field in self.fields else None, problem.detail)


def _spelled(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value or "")


class ImportForm(TextFileForm):
    """Many rows of one table."""

    largest = MAX_FILE_BYTES

    reason = StrictText(label=_("Reason"), max_length=_LONGEST)
    file = forms.FileField(label=_("Rows (CSV)"), max_length=120)
