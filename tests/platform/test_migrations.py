"""The way back: every migration can be undone, and done again."""

import pytest
from django.core.management import call_command
from django.db import connection

from config import schema
from tests.architecture.sources import LINE


@pytest.mark.django_db(transaction=True)
def test_every_migration_can_be_undone_and_done_again() -> None:
    apps = [app for app in reversed(LINE) if app != "config"]  # it has no tables
    for app in apps:
        call_command("migrate", app, "zero", verbosity=0)
    ours = tuple(f"{app}_" for app in apps)
    assert [name for name in connection.introspection.table_names() if name.startswith(ours)] == []
    schema.bring_up_to_date()
    assert schema.is_current()
