"""What organisations and their members are refused."""

from collections.abc import Iterable

from accounts.foundation.errors import Conflict, FieldProblem, Invalid, Unprocessable


class OrganisationCannotMove(Conflict):
    """The status does not allow the change."""

    code = "organisation_cannot_move"

    def __init__(self, status: str, wanted: str) -> None:
        super().__init__(f"This organisation is {status} and cannot become {wanted}.")


class OperatorStays(Conflict):
    """The exchange itself cannot be stopped as a member: nobody would be left to lift it."""

    code = "operator_stays"

    def __init__(self) -> None:
        super().__init__("This is the organisation that operates the exchange; it can be neither suspended nor closed.")


class RoleNotOpen(Unprocessable):
    """The organisation's capabilities do not include what the role is for."""

    code = "role_not_open"

    def __init__(self, role: str, *, open_roles: Iterable[str]) -> None:
        names = ", ".join(sorted(open_roles))
        super().__init__(f"The role {role} is not open to members of this organisation; expected one of {names}.")


class AlreadyAMember(Conflict):
    """The person has the role already."""

    code = "already_a_member"

    def __init__(self, role: str) -> None:
        super().__init__(f"This person has the role {role} already.")


class LastAdministrator(Conflict):
    """Without its last administrator an organisation could never let anybody in again."""

    code = "last_administrator"

    def __init__(self) -> None:
        super().__init__("This is the organisation's last administrator; name another one first.")


class EmailTaken(Conflict):
    """Somebody signs in with this address already."""

    code = "email_taken"

    def __init__(self) -> None:
        super().__init__("There is an account for this e-mail address already.")


class NameTaken(Conflict):
    """Another organisation has this unified social credit code."""

    code = "social_credit_code_taken"

    def __init__(self) -> None:
        super().__init__("An organisation with this unified social credit code is registered already.")


class PasswordTooWeak(Invalid):
    """The password does not meet the rules; the password itself is never quoted."""

    code = "password_too_weak"

    def __init__(self, reasons: Iterable[str]) -> None:
        text = " ".join(reasons)
        super().__init__(text, (FieldProblem("/password", text),))


class LegalEntityMissing(Unprocessable):
    """Nothing is known of what the organisation was in law at the time."""

    code = "legal_entity_missing"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} has no legal entity on record for this time.")


class LegalEntityOverlaps(Conflict):
    """A legal entity is on record from a later time."""

    code = "legal_entity_overlaps"

    def __init__(self) -> None:
        super().__init__("A legal entity is on record from this time or a later one; it cannot be replaced backwards.")
