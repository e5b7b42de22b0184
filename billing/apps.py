"""The billing app as Django sees it."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """The money."""

    name = "billing"
    label = "billing"
    default_auto_field = "django.db.models.BigAutoField"

    # Tables whose rows the application role may add and read, never change (config.roles grants accordingly).
    append_only_tables: tuple[str, ...] = (
        "billing_ledgertransaction",
        "billing_ledgerentry",
        "billing_holdevent",
        "billing_contractslot",
        "billing_contractrelease",
        "billing_contractresale",
        "billing_contractpause",
        "billing_contractresumption",
        "billing_feeschedule",
        "billing_bankstatement",
        "billing_bankentry",
        "billing_receiptpart",
        "billing_usageevent",
        "billing_usagereversal",
        "billing_usageconflict",
        "billing_usagerejection",
        "billing_voucheruse",
        "billing_charge",
        "billing_invoiceline",
        "billing_invoicetax",
        "billing_billedcharge",
        "billing_journalline",
        "billing_reconciliationrun",
        "billing_breaknote",
        "billing_closingpolicy",
        "billing_payoutpolicy",
        "billing_landingpolicy",
        "billing_refundpolicy",
        "billing_transferfile",
        "billing_invoiceseries",
        "billing_billbound",
        "billing_fapiaotax",
        "billing_dunninglevel",
        "billing_dunningnotice",
    )
