"""What the measures decline. These are plain ValueErrors: the boundary names the field they came from."""


class MeasureError(ValueError):
    """A text or number is no amount, price, interval or unit; the message says what was expected."""
