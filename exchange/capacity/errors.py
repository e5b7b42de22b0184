"""What capacity declines."""

from datetime import datetime

from accounts.foundation.errors import Conflict, FieldProblem, NotFound


class OfferingUnknown(NotFound):
    """There is no such offering among the actor's own."""

    code = "offering_not_found"


class OfferingRetired(Conflict):
    """Capacity is listed for what can still be sold."""

    code = "offering_retired"

    def __init__(self, status: str) -> None:
        super().__init__(f"Capacity is listed for an offering that is being sold; this one is {status}.")


class CapacityCommitted(Conflict):
    """Fewer units than already have a claim on them."""

    code = "capacity_committed"

    def __init__(self, *, starts_at: datetime, committed: int, wanted: int) -> None:
        detail = (
            f"In the hour from {starts_at:%Y-%m-%dT%H:%MZ}, {committed} units are offered, held or sold; "
            f"the capacity cannot be {wanted}."
        )
        super().__init__(
            detail,
            (FieldProblem("/quantity", f"expected at least {committed}, got {wanted}"),),
        )
        self.committed = committed


class CapacityTaken(Conflict):
    """Fewer units are offered than are to be given back: somebody else was there first."""

    code = "capacity_changed"

    def __init__(self) -> None:
        super().__init__("The capacity was changed by another request; look at it again.")


class CapacityShort(Conflict):
    """Not enough units are listed and free."""

    code = "capacity_short"

    def __init__(self, *, starts_at: datetime, free: int, wanted: int) -> None:
        detail = (
            f"In the hour from {starts_at:%Y-%m-%dT%H:%MZ}, {free} units are listed and free; {wanted} are wanted. "
            "List more capacity first, or offer less."
        )
        super().__init__(
            detail,
            (FieldProblem("/quantity", f"expected at most {free}, got {wanted}"),),
        )
        self.free = free
