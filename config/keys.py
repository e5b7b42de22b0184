"""Secrets that a local installation makes for itself and keeps in its data directory."""

import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path

DIRECTORY = "secrets"


def random_text() -> str:
    """Return 256 random bits, safe in a URL."""
    return secrets.token_urlsafe(32)


def random_field_key() -> str:
    """Return a key of the form that Fernet takes: 32 bytes in URL-safe base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def stored(data: Path, name: str, make: Callable[[], str] = random_text) -> str:
    """Return the secret of this name under `data`, made at its first use and readable by its owner only."""
    path = data / DIRECTORY / name
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_name(f".{name}.{secrets.token_hex(4)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
        # Two processes may make it at once: the link fails for the second, and both read the first one's.
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text().strip()
