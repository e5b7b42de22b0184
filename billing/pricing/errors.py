"""What pricing declines."""

from accounts.foundation.errors import Conflict, FieldProblem, Invalid, NotFound, Unprocessable, mismatch


class NotInForceBefore(Conflict):
    """A row for the same thing holds from a later instant, or up to one after the new row begins."""

    code = "overlapping_period"

    def __init__(self, instant: str) -> None:
        super().__init__(
            f"Another row for the same is in force or announced at {instant}; expected a time in which none is, or "
            "after one that is open-ended."
        )


class PricingRefused(Invalid):
    """A value is outside what prices can be made of; the problems name each field."""

    code = "pricing_refused"


class NoSuchBuyer(NotFound):
    """There is no active organisation of that id that can buy."""

    code = "buyer_not_found"


class VoucherCodeTaken(Conflict):
    """A code stands for one voucher, for ever."""

    code = "voucher_code_taken"

    def __init__(self, code: str) -> None:
        super().__init__(f"A voucher with the code {code} has been issued before.")


class VoucherAlreadyOver(Unprocessable):
    """A voucher that nobody could use."""

    code = "voucher_already_over"

    def __init__(self, valid_to: str, now: str) -> None:
        problem = FieldProblem("/valid_to", mismatch(valid_to, f"a time after now, {now}"))
        super().__init__(f"The voucher would end at {valid_to}; expected a time after now, {now}.", [problem])
