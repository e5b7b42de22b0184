"""What clearing declines."""


class BookError(ValueError):
    """A document that is not a book: where, what was there and what was expected."""

    code = "malformed_book"

    def __init__(self, pointer: str, *, value: object, expected: str) -> None:
        self.pointer = pointer
        self.value = shorten(value)
        self.expected = expected
        super().__init__(f"{pointer or '(document)'}: {self.value} is not acceptable; expected {expected}.")


class EngineFault(RuntimeError):
    """The engine's own result broke a rule; nothing may be published."""

    code = "engine_fault"

    def __init__(self, violations: tuple[str, ...]) -> None:
        self.violations = violations
        super().__init__("The cleared outcome failed its verification: " + "; ".join(violations[:5]))


def shorten(value: object, limit: int = 80) -> str:
    """Return a value as a reader may see it in a message: its literal form, cut at ``limit`` characters."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
