"""The config app: it has commands and checks, and no models."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Process commands (up, test, migrate) and what joins the four apps."""

    name = "config"
    label = "config"
