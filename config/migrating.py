"""Migrates an empty database in seconds; most of what Django takes for it is keeping its picture of the models.

After each operation Django renders the model that changed and everything related to it again, which in a schema as
connected as this one is nearly everything, hundreds of times. The operations themselves look at the table that they
change and at the names of the tables it points to. So here only the model that changed is rendered, and the picture is
marked as delayed, which is Django's word for "to be rendered as a whole before code looks at it". A test compares the
schema that comes of it with the one that comes of Django's way.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from django.core.management.commands import migrate
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ModelState, ProjectState


class QuickState(ProjectState):
    """Django's state of the models, which renders as little as an operation needs."""

    def clone(self) -> Self:
        """Return a copy of the same kind."""
        copy = type(self)(models={key: model.clone() for key, model in self.models.items()}, real_apps=self.real_apps)
        if "apps" in self.__dict__:  # a cached property: asking for it would render it
            copy.apps = self.apps.clone()
        copy.is_delayed = self.is_delayed
        return copy

    def add_model(self, model_state: ModelState) -> None:
        """Add a model: it is the first to know of those that it points to."""
        self._adding = True
        try:
            super().add_model(model_state)
        finally:
            self._adding = False

    def add_field(self, *arguments: Any, **named: Any) -> None:
        """Add a field, maybe one that points to another model."""
        self._adding = True
        try:
            super().add_field(*arguments, **named)
        finally:
            self._adding = False

    _adding = False

    def _find_reload_model(self, app_label: str, model_name: str, delay: bool = False) -> set[tuple[str, str]]:  # noqa: FBT001, FBT002  # Django's own
        if delay or self._adding:
            self.is_delayed = True
            return {(app_label, model_name)}
        # What others point to is changed: their columns follow from it, so it takes the whole picture.
        return set(self.models)


class QuickExecutor(MigrationExecutor):
    """Django's executor, on states of ours."""

    def _create_project_state(self, with_applied_migrations: bool = False) -> ProjectState:  # noqa: FBT001, FBT002  # Django's own
        state = super()._create_project_state(with_applied_migrations)  # type: ignore[misc]  # the stubs leave it out
        return QuickState(models=state.models, real_apps=state.real_apps)


@contextmanager
def quickly() -> Iterator[None]:
    """Let Django's command migrate with the quick executor inside the block; it has no other place to say so."""
    command: Any = migrate  # the stubs do not have what the module imports
    usual = command.MigrationExecutor
    command.MigrationExecutor = QuickExecutor
    try:
        yield
    finally:
        command.MigrationExecutor = usual
