"""The accounts app as Django sees it."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who acts, and the trail they leave."""

    name = "accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    # Tables whose rows the application role may add and read, never change (config.roles grants accordingly).
    append_only_tables: tuple[str, ...] = ()
