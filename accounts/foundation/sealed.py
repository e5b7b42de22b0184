"""Encryption of single fields at rest, with the key in FIELD_ENCRYPTION_KEY."""

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from accounts.foundation.errors import Unavailable


class CannotOpen(Unavailable):
    """The stored text was sealed with a key that this process does not have."""

    code = "sealed_with_another_key"

    def __init__(self) -> None:
        super().__init__("This secret was stored under another key and cannot be read now.")


def seal(text: str) -> bytes:
    """Return the text encrypted and authenticated."""
    return _box().encrypt(text.encode())


def unseal(sealed: bytes) -> str:
    """Return what was sealed; raises CannotOpen when it was changed or sealed with another key."""
    try:
        return _box().decrypt(bytes(sealed)).decode()
    except InvalidToken as error:
        raise CannotOpen from error


def _box() -> Fernet:
    return Fernet(settings.FIELD_ENCRYPTION_KEY)
