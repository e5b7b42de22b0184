"""Which function of which app does each kind of job: the one place where all of them are known."""

from accounts.jobs import registry
from billing.bounds import services as bounds
from billing.cards import methods, refunds
from billing.cards import services as cards
from billing.cards import tasks as paying
from billing.connect import services as connect
from billing.connect import tasks as connecting
from billing.fapiao import opening as fapiao
from billing.fapiao import tasks as issuing
from billing.invoices import corrections
from billing.invoices import tasks as invoices
from billing.payouts import tasks as payouts
from billing.webhooks import services as webhooks
from billing.webhooks import tasks as listening
from exchange.auctions import clear, gates, settle, waves
from exchange.indications import services as indications


def register_all() -> None:
    """Name the handler of every kind of job; called as the process starts."""
    registry.register("invoice_contract", invoices.invoice_contract)
    registry.register("issue_statement", invoices.issue_statement)
    registry.register(bounds.INVOICE_WAITING, invoices.invoice_waiting, lease_seconds=300)
    registry.register("invoice_month", invoices.invoice_month, lease_seconds=300)
    registry.register(corrections.DEMAND_RED_LETTER, issuing.demand_red_letter)
    registry.register(fapiao.SEND_FAPIAO, issuing.send_fapiao)
    registry.register(connect.OPEN_ACCOUNT, connecting.open_account)
    registry.register(connect.SEND_TRANSFER, payouts.send_transfer)
    registry.register(connect.REVERSE_TRANSFER, payouts.reverse_transfer)
    registry.register(cards.PUSH_PAYMENT, paying.push_payment)
    registry.register(methods.PUSH_SETUP, paying.push_setup)
    registry.register(methods.DETACH_METHOD, paying.detach_method)
    registry.register(refunds.PUSH_REFUND, paying.push_refund)
    registry.register(webhooks.HANDLE_EVENT, listening.handle_event)
    registry.register(gates.CLEAR_ROUND, clear.clear_round, lease_seconds=300)
    registry.register(gates.INDICATE_ROUND, indications.indicate, lease_seconds=120)
    registry.register(clear.SETTLE_ROUND, settle.settle_round, lease_seconds=120)
    registry.register(waves.COMPUTE_BATCH, waves.compute_batch, lease_seconds=120)
