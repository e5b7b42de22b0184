"""What the payment service, or the way to it, declines."""

from accounts.foundation.errors import Conflict, Invalid, NotFound, Unavailable


class GatewayAbsent(Conflict):
    """This installation has no account with the payment service."""

    code = "gateway_not_configured"

    def __init__(self) -> None:
        super().__init__("No Stripe account is configured here. Pay by bank transfer.")


class OutcomeUnknown(Unavailable):
    """Nobody can say whether the call took effect; the same call is repeated with the same key."""

    code = "gateway_outcome_unknown"


class CallRefused(Conflict):
    """The payment service has answered, and the answer is no."""

    code = "gateway_refused"

    def __init__(self, reason: str, message: str, *, object_id: str = "") -> None:
        super().__init__(message or reason)
        self.reason = reason  # Stripe's code, such as card_declined
        self.object_id = object_id  # the object that was made all the same, such as a declined payment


class NoSuchObject(NotFound):
    """The payment service knows no such object."""

    code = "gateway_object_not_found"


class UnreadableNotice(Invalid):
    """A message that Stripe signed is not an event as Stripe sends it."""

    code = "notice_unreadable"

    def __init__(self, name: str, expected: str) -> None:
        super().__init__(f"The message cannot be read: {name} is not what was expected, {expected}.")


class ForgedNotice(Invalid):
    """The message is not signed by the payment service, or too long ago."""

    code = "forged_notice"

    def __init__(self) -> None:
        super().__init__("The signature does not fit this message, or is older than five minutes.")
