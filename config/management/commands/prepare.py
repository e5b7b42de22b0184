"""What a database needs before the exchange starts on it: its schema and, the first time, a market."""

from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

from config import roles, schema


class Command(BaseCommand):
    """Migrate, and load the demo market once; what was chosen at the first start holds for these data."""

    help = "Bring the database to what this code expects, and load the demo market at the first start."
    requires_system_checks: list[str] = []  # they are `manage.py check`; a start should be quick

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--empty", action="store_true", help="do not load the demo market")

    def handle(self, *args: Any, **options: Any) -> None:
        _check_reachable()
        schema.bring_up_to_date()
        data = Path(settings.DATA_DIR)
        market = data / "market"
        if not market.exists():
            market_of_first_start = self._first_start(data, empty=options["empty"])
            market.write_text(market_of_first_start + "\n")
        elif market.read_text().strip() == "empty" and not options["empty"]:
            self.stdout.write("These data were begun with --empty; the demo market needs another --data DIR.")
        if market.read_text().strip() == "demo" and "demo_logins" in get_commands():
            logins = StringIO()
            call_command("demo_logins", stdout=logins)
            (data / "logins").write_text(logins.getvalue())

    def _first_start(self, data: Path, *, empty: bool) -> str:
        if empty:
            return "empty"
        embedded = (
            (data / "postgres").exists() or (data / "postgres-home").exists() or (data / "postgres-is-at").exists()
        )
        if not embedded and get_user_model()._default_manager.exists():
            return "kept"  # a database from outside that somebody uses already
        if "load_demo" in get_commands():
            self.stdout.write("Loading the demo market ...")
            self.stdout.flush()
            call_command("load_demo")
        return "demo"


def _check_reachable() -> None:
    """Raise CommandError, with what the server says, when the owner cannot connect to the database."""
    try:
        with roles.as_owner():
            connections[DEFAULT_DB_ALIAS].ensure_connection()
    except DatabaseError as error:
        raise CommandError(f"The database that DATABASE_URL names cannot be used: {error}".rstrip()) from error
