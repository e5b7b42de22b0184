"""What is declined about changes of the rules."""

from collections.abc import Sequence

from accounts.foundation.errors import Conflict, FieldProblem, Forbidden, NotFound, Unprocessable


class NoSuchChange(NotFound):
    """There is no such proposal."""

    code = "policy_change_not_found"


class ChangeDecided(Conflict):
    """The proposal has been decided on."""

    code = "policy_change_decided"

    def __init__(self, status: str) -> None:
        super().__init__(f"This change is {status} already.")


class OwnChange(Forbidden):
    """Whoever proposes a change of the rules does not decide on it."""

    code = "own_policy_change"

    def __init__(self) -> None:
        super().__init__("The person who proposed a change of the rules cannot decide on it; a colleague must.")


class ChangeDoesNotFit(Unprocessable):
    """The row does not go with those that hold already."""

    code = "policy_change_does_not_fit"

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__(f"{problems[0].pointer.lstrip('/')}: {problems[0].detail}", problems)
