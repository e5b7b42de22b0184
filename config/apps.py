"""The config app: it has commands and checks, and no models."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Process commands (up, test, migrate) and what joins the four apps."""

    name = "config"
    label = "config"

    def ready(self) -> None:
        """Join what the apps, which do not know each other upwards, leave to be joined."""
        from config import celery, handlers  # noqa: PLC0415 (imports models, which are loaded by now)

        # Every thread of every process rings our broker, not the library's default one.
        celery.app.set_default()
        handlers.register_all()
