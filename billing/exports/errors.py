"""What exports decline."""

from accounts.foundation.errors import NotFound


class NoSuchBuyer(NotFound):
    """There is no such buyer, or none whose costs the caller may see."""

    code = "buyer_not_found"
