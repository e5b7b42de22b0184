"""The forms in which capacity is sold, and the unit each is counted in."""

from enum import StrEnum
from typing import Final


class ServiceClassCode(StrEnum):
    """The five classes of service."""

    GENERAL_COMPUTE = "general_compute"
    AI_ACCELERATION = "ai_acceleration"
    SUPER_COMPUTE = "super_compute"
    STORAGE = "storage"
    INFERENCE = "inference"


class Form(StrEnum):
    """What one unit of a resource type is."""

    CORE = "core"
    MACHINE = "machine"
    CARD = "card"
    NODE = "node"
    BLOCK = "block"
    FILE = "file"
    OBJECT = "object"
    TOKENS = "tokens"


class Confidence(StrEnum):
    """How far a published figure can be trusted."""

    VENDOR = "vendor"  # the vendor's figures, agreed by two sources or more
    SECONDARY = "secondary"  # one source that cites the vendor
    CONFLICTING = "conflicting"  # sources disagree: the lower figure is kept, the range is in the note
    DECLARED = "declared"  # a size of our own definition, nothing to verify


# The unit in which each form is counted: by the hour in the auction, otherwise at the rate card.
UNIT_BY_FORM: Final = {
    Form.CORE: "core_hours",
    Form.MACHINE: "machine_hours",
    Form.CARD: "card_hours",
    Form.NODE: "node_hours",
    Form.BLOCK: "storage_gb_months",
    Form.FILE: "storage_gb_months",
    Form.OBJECT: "storage_gb_months",
    Form.TOKENS: "tokens_out",
}


def unit_of(form: str) -> str:
    """Return the code of the unit in which a form is counted."""
    return UNIT_BY_FORM[Form(form)]
