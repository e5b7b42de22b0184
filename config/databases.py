"""Which database role connects where, from `DATABASE_URL` and `DATABASE_OWNER_URL`.

With both set, the first is the application's and the second the owner's. With `DATABASE_URL`
alone it is the owner's, and the application's connections assume the role `exchange_app`
as they open, so that one address is enough for development and tests.
"""

from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured

from config import env

APPLICATION_ROLE: Final = "exchange_app"
LOCK_TIMEOUT: Final = "3s"


@dataclass(frozen=True)
class OwnerAccess:
    """How the owner connects, and which role it has to give rights to."""

    connection: dict[str, Any]
    application_role: str
    assumed: bool  # whether the application connects as the owner and then assumes its role


def configured() -> bool:
    """Tell whether this process has been given a database."""
    return bool(env.text("DATABASE_URL"))


def from_environment(*, production: bool) -> dict[str, dict[str, Any]]:
    """Return Django's DATABASES for the application role.

    Without an address a local process gets the dummy backend: commands that need no database
    run, and anything that touches one fails at once. Raises ImproperlyConfigured in production.
    """
    url = env.text("DATABASE_URL")
    if not url:
        if production:
            raise ImproperlyConfigured("DATABASE_URL is not set; production needs the address of its database.")
        return {"default": {"ENGINE": "django.db.backends.dummy"}}
    statement_seconds = env.integer("DATABASE_STATEMENT_TIMEOUT_SECONDS", default=60, minimum=1, maximum=3600)
    role = "" if env.text("DATABASE_OWNER_URL") else APPLICATION_ROLE
    return {"default": _connection("DATABASE_URL", url, role=role, statement_timeout=f"{statement_seconds}s")}


def owner_from_environment() -> OwnerAccess | None:
    """Return how the owner connects, None when no database is configured."""
    application_url, owner_url = (
        env.text("DATABASE_URL"),
        env.text("DATABASE_OWNER_URL"),
    )
    if not application_url:
        return None
    name, url = ("DATABASE_OWNER_URL", owner_url) if owner_url else ("DATABASE_URL", application_url)
    role = env.database_address("DATABASE_URL", application_url).user if owner_url else APPLICATION_ROLE
    # A migration may rewrite a table for longer than any request may run.
    return OwnerAccess(
        _connection(name, url, role="", statement_timeout="0"),
        role,
        assumed=not owner_url,
    )


def _connection(name: str, url: str, *, role: str, statement_timeout: str) -> dict[str, Any]:
    address = env.database_address(name, url)
    session = {
        "lock_timeout": LOCK_TIMEOUT,
        "statement_timeout": statement_timeout,
        "timezone": "UTC",
    }
    if role:
        session["role"] = role
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": address.host,
        "PORT": address.port,
        "NAME": address.name,
        "USER": address.user,
        "PASSWORD": address.password,
        "CONN_MAX_AGE": 60,  # seconds
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
        "OPTIONS": {
            **address.options,
            # READ COMMITTED with explicit locks: SERIALIZABLE loses write skew under load (docs/concepts).
            "options": " ".join(
                ["-c default_transaction_isolation=read\\ committed"]
                + [f"-c {key}={value}" for key, value in session.items()]
            ),
        },
    }
