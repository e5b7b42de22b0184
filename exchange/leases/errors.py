"""What a lease declines."""

from datetime import datetime

from accounts.foundation.errors import Conflict, FieldProblem, Forbidden, Invalid, NotFound


class LeaseNotFound(NotFound):
    """There is no such lease for this actor."""

    code = "lease_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such lease.")


class LeaseMoveRefused(Conflict):
    """The lease's status does not allow what was asked of it."""

    code = "lease_move_refused"

    def __init__(self, current: str, target: str) -> None:
        super().__init__(f"A lease that is {current} cannot become {target}.")


class LeaseStillRuns(Conflict):
    """A lease is completed at its end, not before; stopping early needs a reason."""

    code = "lease_still_runs"

    def __init__(self, ends_at: datetime) -> None:
        super().__init__(f"The lease runs until {ends_at:%Y-%m-%dT%H:%M:%SZ}; give a reason to stop before.")


class LeaseIsOver(Conflict):
    """Nothing more happens to a lease that is over."""

    code = "lease_is_over"

    def __init__(self, status: str) -> None:
        super().__init__(f"This lease is over ({status}).")


class LeaseIsNotRunning(Conflict):
    """Only a lease that has been handed over has a heartbeat."""

    code = "lease_is_not_running"

    def __init__(self, status: str) -> None:
        super().__init__(f"Only an active or impaired lease has a heartbeat; this one is {status}.")


class AccessDetailsMissing(Invalid):
    """A lease is handed over with the details of how to get in."""

    code = "access_details_missing"

    def __init__(self, length: int, limit: int) -> None:
        super().__init__(f"Access details have 1 to {limit} characters; {length} were given.")


class EndReasonRefused(Invalid):
    """The reason is not one that this actor may give."""

    code = "end_reason_refused"

    def __init__(self, reason: str, allowed: tuple[str, ...]) -> None:
        super().__init__(f"{reason} is not a reason to stop early here; expected {' or '.join(allowed)}.")


class PauseInvalid(Invalid):
    """What is to be paused or taken up again does not fit the lease or the rules of its market."""

    code = "pause_invalid"


class ResaleInvalid(Invalid):
    """What is to be sold back does not lie inside the lease."""

    code = "resale_invalid"


class NothingToSellBack(Conflict):
    """Fewer units are left than are to be sold back."""

    code = "nothing_to_sell_back"

    def __init__(self, wanted: int, left: int) -> None:
        detail = f"At some time of the window {left} units are owed and not offered yet; {wanted} cannot be sold back."
        super().__init__(detail, (FieldProblem("/quantity", f"expected at most {left}, got {wanted}"),))


class NotResellable(Conflict):
    """The contract is from before selling back: it states no commission."""

    code = "not_resellable"

    def __init__(self) -> None:
        super().__init__("This contract states no resale commission for that time; it cannot be sold back.")


class ResellerNotActive(Forbidden):
    """The organisation may not trade at present."""

    code = "reseller_not_active"

    def __init__(self, status: str) -> None:
        super().__init__(f"Only an active organisation sells hours back; this one is {status}.")


class ReturnInvalid(Invalid):
    """What is to be handed back does not fit the lease or the rules of its market."""

    code = "return_invalid"


class ReturnReported(Conflict):
    """The provider has reported usage for that time already."""

    code = "return_reported"

    def __init__(self, until: datetime) -> None:
        super().__init__(
            f"The provider has reported usage until {until:%Y-%m-%dT%H:%M:%SZ}; hand back what is after it."
        )
