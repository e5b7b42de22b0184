"""Refusals about who acts."""

from collections.abc import Iterable

from accounts.foundation.errors import Forbidden, Unauthenticated


class NotAllowed(Forbidden):
    """The actor lacks the capability."""

    code = "not_allowed"

    def __init__(self, needed: Iterable[str]) -> None:
        names = " or ".join(str(name) for name in needed)
        super().__init__(f"This needs the capability {names}." if names else "This needs an organisation to act for.")


class OrganisationNotActive(Forbidden):
    """The organisation is suspended or closed."""

    code = "organisation_not_active"

    def __init__(self, status: str) -> None:
        super().__init__(f"The organisation is {status}; nothing can be done in its name.")


class NotAMember(Forbidden):
    """The person does not belong to the organisation they want to act for."""

    code = "not_a_member"

    def __init__(self) -> None:
        super().__init__("You are not a member of this organisation.")


class SignInNeeded(Unauthenticated):
    """Nobody is signed in and no valid key was given."""

    code = "sign_in_needed"

    def __init__(self) -> None:
        super().__init__("Sign in, or send an API key as Authorization: Bearer cx_live_...")
