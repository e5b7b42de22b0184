"""The accounts app as Django sees it."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who acts, and the trail they leave."""

    name = "accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    # Tables whose rows the application role may add and read, never change (config.roles grants accordingly).
    append_only_tables: tuple[str, ...] = ("accounts_auditrecord", "accounts_auditlink", "accounts_event")
    # Tables that only a function of the database writes: the application cannot forge a chain.
    read_only_tables: tuple[str, ...] = ("accounts_auditchain", "accounts_auditlink")

    def ready(self) -> None:
        """Teach the address tables about typed ids before any of them is loaded."""
        from accounts.foundation import routes  # noqa: PLC0415 (needs the app registry)

        routes.register()
