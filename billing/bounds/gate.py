"""The gate that every bill passes before it is issued: within its bounds, or its account is parked."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from accounts.actors.actor import Actor
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids
from billing.bounds import queries, rules
from billing.bounds.models import BilledDay, Parking
from billing.bounds.rules import Breach, Drawn
from billing.contracts.models import Contract
from billing.periods.rules import BOOKS_ZONE
from catalog.measures.money import MAX_MINOR, format_minor


class Gate:
    """Counts and checks the bills of some parties; their rows of the day stay locked until the transaction ends.

    Locked after contracts and before number counters. So a party is parked or billed, never both at once.
    """

    def __init__(self, actor: Actor, side: str, organisation_ids: Iterable[UUID], *, now: datetime) -> None:
        parties = sorted(set(organisation_ids))
        self._actor, self._side, self._now = actor, side, now
        self._days = _locked_days(side, parties, now=now)
        self._limits = queries.limits(parties, now=now)
        of_parties = Parking.objects.filter(organisation_id__in=parties, side=side)
        self._parked = set(of_parties.filter(released_at=None).values_list("organisation_id", flat=True))
        self._released = {one.contract_id: one for one in of_parties.exclude(released_at=None).order_by("id")}
        self._changed: dict[UUID, BilledDay] = {}

    def trailing_days(self, organisation_id: UUID, currency: str) -> int:
        """Return over how many days what was billed to a party makes its usual month."""
        return self._limits(organisation_id, currency).trailing_days

    def admits(self, contract: Contract, organisation_id: UUID, drawn: Drawn, *, usual_minor: int) -> bool:
        """Count a bill and return True, or park its party; nothing of a parked party is admitted."""
        if organisation_id in self._parked:
            return False
        day = self._days[organisation_id]
        limits = self._limits(organisation_id, contract.currency)
        found = rules.breaches(drawn, limits, lines_today=day.lines, usual_minor=usual_minor)
        if found and not self._was_looked_at(contract, drawn):
            self._park(
                contract, organisation_id, drawn, found, takes_two=drawn.total_minor > limits.two_people_above_minor
            )
            return False
        day.lines += drawn.lines
        self._changed[organisation_id] = day
        return True

    def close(self) -> None:
        """Write down what was counted."""
        BilledDay.objects.bulk_update(self._changed.values(), ["lines"])

    def _was_looked_at(self, contract: Contract, drawn: Drawn) -> bool:
        """Whether finance has released this bill: it does not come to more than it did then."""
        released = self._released.get(contract.id)
        return released is not None and drawn.total_minor <= released.total_minor and drawn.lines <= released.lines

    def _park(
        self, contract: Contract, organisation_id: UUID, drawn: Drawn, found: tuple[Breach, ...], *, takes_two: bool
    ) -> None:
        parking = Parking.objects.create(
            organisation_id=organisation_id,
            side=self._side,
            contract=contract,
            currency=contract.currency,
            # What no amount of the books can hold is never issued: released, it is parked again.
            total_minor=min(drawn.total_minor, MAX_MINOR),
            lines=drawn.lines,
            breaches=[asdict(breach) for breach in found],
            takes_two=takes_two,
            parked_at=self._now,
        )
        self._parked.add(organisation_id)
        said = {
            "organisation": ids.spell("org", organisation_id),
            "side": self._side,
            "contract": ids.spell("ctr", contract.id),
            "total": format_minor(drawn.total_minor, contract.currency),
            "currency": contract.currency,
            "breaches": [f"{breach.bound}: {breach.seen}, expected at most {breach.limit}" for breach in found],
        }
        audit.record(
            self._actor,
            "account.park",
            "parking",
            parking.id,
            None,
            said,
            now=self._now,
            organisation_id=organisation_id,
        )
        # The alarm: for staff alone, the party has done nothing yet.
        spelled = {"parking": ids.spell("prk", parking.id)}
        events.emit("account.parked", "parking", parking.id, None, said | spelled, now=self._now)


def _locked_days(side: str, parties: list[UUID], *, now: datetime) -> dict[UUID, BilledDay]:
    day = now.astimezone(BOOKS_ZONE).date()
    rows = BilledDay.objects.filter(organisation_id__in=parties, side=side, day=day)
    missing = set(parties) - set(rows.values_list("organisation_id", flat=True))
    BilledDay.objects.bulk_create(
        [BilledDay(organisation_id=party, side=side, day=day) for party in sorted(missing)], ignore_conflicts=True
    )
    return {row.organisation_id: row for row in rows.select_for_update(no_key=True).order_by("organisation_id")}
