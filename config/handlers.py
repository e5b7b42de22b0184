"""Which function of which app does each kind of job: the one place where all of them are known."""

from accounts.jobs import registry
from billing.invoices import tasks as invoices
from exchange.auctions import clear, gates, settle, waves
from exchange.indications import services as indications


def register_all() -> None:
    """Name the handler of every kind of job; called as the process starts."""
    registry.register("invoice_contract", invoices.invoice_contract)
    registry.register("issue_statement", invoices.issue_statement)
    registry.register("invoice_month", invoices.invoice_month)
    registry.register(gates.CLEAR_ROUND, clear.clear_round, lease_seconds=300)
    registry.register(gates.INDICATE_ROUND, indications.indicate, lease_seconds=120)
    registry.register(clear.SETTLE_ROUND, settle.settle_round, lease_seconds=120)
    registry.register(waves.COMPUTE_BATCH, waves.compute_batch, lease_seconds=120)
