"""What the taxonomy declines."""

from accounts.foundation.errors import Invalid, mismatch


class UnknownResourceType(Invalid):
    """No resource type has this code."""

    code = "unknown_resource_type"

    def __init__(self, given: str) -> None:
        super().__init__(mismatch(given, "the code of a resource type, see /v1/resource-types"))
