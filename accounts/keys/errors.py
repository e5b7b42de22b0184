"""What API keys are refused."""

from accounts.foundation.errors import Forbidden, Unauthenticated


class KeyNotAccepted(Unauthenticated):
    """The key is malformed, unknown, expired or revoked: the four look alike from outside."""

    code = "key_not_accepted"

    def __init__(self) -> None:
        super().__init__("This API key is not accepted: it is malformed, unknown, expired or revoked.")


class ScopeTooWide(Forbidden):
    """Nobody gives a key more than they may do themselves."""

    code = "scope_too_wide"

    def __init__(self, scope: str) -> None:
        super().__init__(f"You cannot give the scope {scope}: you do not have all that it allows.")
