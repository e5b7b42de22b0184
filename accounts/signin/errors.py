"""What sign-in is refused for."""

from accounts.foundation.errors import TooManyTries, Unauthenticated


class SignInRefused(Unauthenticated):
    """Address or password is wrong, or the account is closed: the three look alike."""

    code = "sign_in_refused"

    def __init__(self) -> None:
        super().__init__("The e-mail address or the password is wrong.")


class TooManySignIns(TooManyTries):
    """Too many tries in a short time."""

    code = "too_many_sign_ins"

    def __init__(self, *, retry_after_seconds: int) -> None:
        minutes = -(-retry_after_seconds // 60)
        super().__init__(
            f"Too many tries to sign in. Wait {minutes} minutes and try again.",
            retry_after_seconds=retry_after_seconds,
        )
