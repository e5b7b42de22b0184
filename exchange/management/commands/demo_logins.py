"""`manage.py demo_logins`: who can sign in to the demo market."""

from django.core.management.base import BaseCommand

from exchange.demo import loading, people


class Command(BaseCommand):
    """Print role, e-mail, password and what to look at, a line for each person of the demo."""

    help = "Print the logins of the demo market; nothing where there is none."

    def handle(self, *_args: object, **_options: object) -> None:
        """Print the lines."""
        if loading.is_loaded():
            for line in people.lines():
                self.stdout.write(line)
