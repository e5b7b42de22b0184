"""What projects refuse."""

from accounts.foundation.errors import Conflict


class ProjectCodeTaken(Conflict):
    """The organisation has a project of this code."""

    code = "project_code_taken"

    def __init__(self, code: str) -> None:
        super().__init__(f"There is a project {code} already.")


class DefaultProjectStays(Conflict):
    """The default project takes whatever names no other."""

    code = "default_project_stays"

    def __init__(self) -> None:
        super().__init__("The default project cannot be archived.")
