"""What usage declines as a whole; items of a batch are declined one by one in its answer."""

from accounts.foundation.errors import Invalid, NotFound, Unavailable
from billing.usage.rules import MAX_BATCH


class BatchTooLarge(Invalid):
    """More events than one request may carry."""

    code = "batch_too_large"

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} events were given; expected at most {MAX_BATCH} in one request.")


class EmptyBatch(Invalid):
    """A batch without events is more likely a mistake than a report."""

    code = "empty_batch"

    def __init__(self) -> None:
        super().__init__("The batch is empty; expected at least one event.")


class NoSuchPoint(NotFound):
    """There is no metering point for this lease."""

    code = "metering_point_not_found"


class UsageBusy(Unavailable):
    """The same events keep arriving in other batches at the same time; nothing of this one was stored."""

    code = "usage_busy"

    def __init__(self) -> None:
        super().__init__("The same events are arriving in other requests just now. Send the batch again.")
