"""What journal entries by hand decline."""

from accounts.foundation.errors import Conflict, Forbidden, NotFound


class JournalDecided(Conflict):
    """It was posted or declined before."""

    code = "journal_decided"

    def __init__(self, status: str) -> None:
        super().__init__(f"This entry is {status}; only a proposed one can be decided.")


class OwnJournal(Forbidden):
    """Whoever proposes does not approve."""

    code = "own_journal"

    def __init__(self) -> None:
        super().__init__("The person who proposed an entry cannot approve it; a colleague must.")


class JournalSettlesSomething(Conflict):
    """It is decided together with what it settles."""

    code = "journal_settles_something"

    def __init__(self, subject_type: str) -> None:
        super().__init__(f"This entry settles a {subject_type}; decide it there.")


class PersonNeeded(Forbidden):
    """An entry by hand has a hand."""

    code = "person_needed"

    def __init__(self) -> None:
        super().__init__("This is done by a person who is signed in, not by a key or the exchange itself.")


class NoSuchJournal(NotFound):
    """No entry with this id."""

    code = "journal_not_found"
