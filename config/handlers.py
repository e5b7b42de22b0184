"""Which function of which app does each kind of job: the one place where all of them are known."""

from accounts.jobs import registry
from exchange.auctions import clear, gates, settle


def register_all() -> None:
    """Name the handler of every kind of job; called as the process starts."""
    registry.register(gates.CLEAR_ROUND, clear.clear_round, lease_seconds=300)
    registry.register(clear.SETTLE_ROUND, settle.settle_round, lease_seconds=120)
