"""`manage.py load_demo`: fill an empty database with the demo market."""

from django.core.management.base import BaseCommand, CommandError

from accounts.foundation import clock
from accounts.foundation.errors import DomainError
from exchange.demo import loading


class Command(BaseCommand):
    """All of it or nothing; again changes nothing."""

    help = "Load the demo market (docs/tour.md) into an empty database; nothing when it is there already."

    def handle(self, *_args: object, **_options: object) -> None:
        """Load; exit 1 when the database holds something else."""
        try:
            loading.load(now=clock.now())
        except DomainError as refusal:
            raise CommandError(refusal.detail) from refusal
