"""Load the first editions of the reference data."""

from typing import Any, ClassVar

from django.db import migrations

from catalog.taxonomy import reference


def load(apps: Any, schema_editor: Any) -> None:
    """Write the service classes, resource types, hubs and metros."""
    reference.load(apps)


class Migration(migrations.Migration):
    """Reference data."""

    dependencies: ClassVar = [("catalog", "0001_create_the_catalogue")]

    operations: ClassVar = [migrations.RunPython(load, migrations.RunPython.noop)]
