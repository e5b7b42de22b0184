"""What is declined about fapiao."""

from collections.abc import Sequence

from accounts.foundation.errors import Conflict, FieldProblem, Invalid, NotFound, Unavailable, Unprocessable


class NoSuchFapiao(NotFound):
    """There is no such fapiao, or none that the caller may see."""

    code = "fapiao_not_found"


class NoSuchTitle(NotFound):
    """There is no such title, or none of the caller's organisation."""

    code = "fapiao_title_not_found"


class TitleEnded(Conflict):
    """The title is no longer used."""

    code = "fapiao_title_ended"

    def __init__(self) -> None:
        super().__init__("This title was ended; nothing more is made out to it.")


class TitleIncomplete(Unprocessable):
    """A special fapiao needs everything that a title can say."""

    code = "fapiao_title_incomplete"

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__(
            f"A special fapiao needs {', '.join(missing)} on its title, which this one does not say; expected a title "
            "with tax id, address, phone, bank and account."
        )


class CannotBeOnFapiao(Unprocessable):
    """Some of the invoices cannot be on it: each says why."""

    code = "cannot_be_on_fapiao"

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__(problems[0].detail, problems)


class FapiaoMoveRefused(Conflict):
    """The state of the fapiao does not allow it."""

    code = "fapiao_move_refused"

    def __init__(self, status: str, wanted: str) -> None:
        super().__init__(f"A fapiao that is {status} cannot be {wanted}.")


class RecordWrong(Unprocessable):
    """What is said to be issued is not what was asked for."""

    code = "fapiao_record_wrong"

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__(f"{problems[0].pointer.lstrip('/')}: {problems[0].detail}", problems)


class NumberTaken(Conflict):
    """The number is another fapiao's."""

    code = "fapiao_number_taken"

    def __init__(self, number: str) -> None:
        detail = f"The number {number} is recorded for another fapiao; expected one that is not."
        super().__init__(detail, [FieldProblem("/number", detail)])


class AtTheIssuer(Conflict):
    """It was sent to the issuing service, which may issue it at any time."""

    code = "fapiao_at_the_issuer"

    def __init__(self) -> None:
        super().__init__("This fapiao was sent to the issuing service; it is refused there, or recorded when issued.")


class RedLetterWaits(Conflict):
    """Another red letter of the fapiao is not issued yet."""

    code = "red_letter_waits"

    def __init__(self) -> None:
        super().__init__("A red letter of this fapiao is not issued yet; record or refuse it first.")


class NothingToReverse(Conflict):
    """There is nothing that a red letter could take back."""

    code = "nothing_to_reverse"

    def __init__(self) -> None:
        super().__init__("There is nothing of this fapiao that a red letter would have to take back.")


class FapiaoFileUnreadable(Invalid):
    """The file is no table of records: nothing of it is kept."""

    code = "fapiao_file_unreadable"


class IssuerUnclear(Unavailable):
    """The issuing service did not answer, or not in a way that says what happened."""

    code = "issuer_unclear"
