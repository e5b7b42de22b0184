"""What goes wrong with jobs."""

from accounts.foundation.errors import Conflict


class LeaseLost(Conflict):
    """The lease ran out and another worker has the job: this one must stop."""

    code = "lease_lost"

    def __init__(self, job: str) -> None:
        super().__init__(f"The lease of {job} was lost to another worker.")
