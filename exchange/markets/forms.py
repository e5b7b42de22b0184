"""What an operator types to announce when a market's gates stand."""

from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.foundation import strict
from accounts.web.forms import DeskTime, StrictForm, StrictText, WholeNumber
from exchange.markets.calendar import MAX_CLOSED_DAYS, MAX_SECONDS, Calendar

_DAY_CHARACTERS = 11  # of a day, and of what stands between two


def _days(text: str) -> tuple[date, ...]:
    return tuple(strict.calendar_date(day) for day in text.replace(",", " ").split())


class CalendarForm(StrictForm):
    """Another calendar. `calendar()` of the valid form is what `markets.announce` takes."""

    effective_from = DeskTime(label=_("Holds from"), help_text=_("Asia/Shanghai; open rounds keep their gates"))
    gate_interval_seconds = WholeNumber(label=_("Seconds between two gates"), minimum=1, maximum=MAX_SECONDS)
    gate_offset_seconds = WholeNumber(
        label=_("The first gate, seconds after midnight of the market's epoch"), minimum=0, maximum=MAX_SECONDS
    )
    no_cancel_seconds = WholeNumber(label=_("No-cancel phase before a gate, seconds"), minimum=0, maximum=MAX_SECONDS)
    publish_after_seconds = WholeNumber(
        label=_("Results are published so many seconds after the gate"),
        minimum=0,
        maximum=MAX_SECONDS,
        help_text=_("0: as soon as the round is cleared. Deliveries start a lead time later"),
    )
    publish_seconds = WholeNumber(
        label=_("Late so many seconds after the gate"),
        minimum=1,
        maximum=MAX_SECONDS,
        help_text=_("Then there is an alarm"),
    )
    closed_days = StrictText(
        label=_("Days without a gate"),
        required=False,
        max_length=MAX_CLOSED_DAYS * _DAY_CHARACTERS,
        read=_days,
        help_text=_("Such as 2026-10-01 2026-10-02, in order; a calendar states all of its own"),
    )

    def calendar(self) -> Calendar:
        """Return the calendar that was typed."""
        values: dict[str, Any] = self.cleaned_data
        return Calendar(**{**values, "closed_days": values["closed_days"] or ()})
