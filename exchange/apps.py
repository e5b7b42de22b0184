"""The exchange app as Django sees it."""

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    """The deal."""

    name = "exchange"
    label = "exchange"
    default_auto_field = "django.db.models.BigAutoField"

    # Tables whose rows the application role may add and read, never change (config.roles grants accordingly).
    append_only_tables: tuple[str, ...] = (
        "exchange_deliveredsegment",
        "exchange_indication",
        "exchange_offerrevision",
        "exchange_orderodds",
        "exchange_orderrevision",
        "exchange_quoteline",
        "exchange_quotepart",
        "exchange_roundoutcome",
        "exchange_roundprice",
        "exchange_roundsnapshot",
        "exchange_searchanswer",
        "exchange_searchbatch",
        "exchange_searchwave",
        "exchange_trade",
    )
