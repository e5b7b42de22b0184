"""Django's migrate, run as the owner, with the application role's rights put right after it."""

from typing import Any

from django.core.management.commands import migrate

from config import migrating, roles, schema


class Command(migrate.Command):
    """Migrate as the owner of the database and renew the grants of the application role."""

    def handle(self, *args: Any, **options: Any) -> None:
        with roles.as_owner(), migrating.quickly():
            roles.prepare()
            super().handle(*args, **options)
            if schema.is_current():  # on the way back the declared tables are gone one after the other
                roles.check_declared_tables()
            roles.apply_grants()
