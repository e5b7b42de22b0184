"""What invitations are refused for."""

from accounts.foundation.errors import Conflict, NotFound


class InvitationNotOpen(NotFound):
    """The link is wrong, used, withdrawn or too old: the four look alike."""

    code = "invitation_not_open"

    def __init__(self) -> None:
        super().__init__("This invitation is not open: the link is wrong, used, withdrawn or older than seven days.")


class SignInToAccept(Conflict):
    """The address has an account, whose owner alone may accept."""

    code = "sign_in_to_accept"

    def __init__(self) -> None:
        super().__init__("There is an account for this address. Sign in with it, then open the link again.")


class AnotherAddress(Conflict):
    """The invitation is for somebody else."""

    code = "invitation_for_another_address"

    def __init__(self) -> None:
        super().__init__("This invitation is for another e-mail address than the one you are signed in with.")
