"""Databases that hold nothing but what a command simulated, and that its next run throws away."""

from typing import Final

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from accounts.organisations.models import Organisation
from config import roles

MARKER: Final = "simulation"  # a file beside the database: what is in it was simulated


def start_over() -> None:
    """Throw an earlier simulation away; raises CommandError rather than touch anything else."""
    marker = settings.DATA_DIR / MARKER
    if Organisation.objects.exists():
        if not marker.exists():
            raise CommandError(
                f"{settings.DATA_DIR} holds a market that was not simulated. Give --data a directory of its own."
            )
        with roles.as_owner(), connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA public CASCADE")
            cursor.execute("CREATE SCHEMA public")
        call_command("migrate", verbosity=0, interactive=False)
    marker.touch()
