"""What the idempotency key is refused for."""

from accounts.foundation.errors import Conflict, FieldProblem, Invalid, Unprocessable

HEADER = "Idempotency-Key"


class KeyMissing(Invalid):
    """The request moves money or capacity and carries no key."""

    code = "idempotency_key_missing"

    def __init__(self) -> None:
        detail = "Send a fresh key of 1 to 255 visible ASCII characters, and the same key when repeating the request."
        super().__init__(f"{HEADER} is missing. {detail}", (FieldProblem(HEADER, detail, "header"),))


class KeyMalformed(Invalid):
    """The key is not one."""

    code = "idempotency_key_malformed"

    def __init__(self) -> None:
        detail = "expected 1 to 255 visible ASCII characters"
        super().__init__(f"{HEADER}: {detail}.", (FieldProblem(HEADER, detail, "header"),))


class StillRunning(Conflict):
    """The first request with this key has not been answered yet."""

    code = "request_in_flight"

    def __init__(self) -> None:
        super().__init__("The first request with this idempotency key is still being answered; ask again shortly.")


class KeyReused(Unprocessable):
    """The key belongs to another request."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__("This idempotency key was used for a different request; use a fresh key for a new one.")
