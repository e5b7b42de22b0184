"""The catalog app as Django sees it."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """What can be bought, where, and in which units."""

    name = "catalog"
    label = "catalog"
    default_auto_field = "django.db.models.BigAutoField"

    # Tables whose rows the application role may add and read, never change (config.roles grants accordingly).
    append_only_tables: tuple[str, ...] = ("catalog_ratecard", "catalog_ratecarditem")
