"""The tasks of the rooms, where Celery looks for them."""

from exchange.agents.tasks import serve as serve
from exchange.auctions.tasks import close_due as close_due
from exchange.auctions.tasks import watch_rounds as watch_rounds
from exchange.demo.tasks import go_on as go_on
from exchange.leases.tasks import hand_back_unfunded as hand_back_unfunded
from exchange.leases.tasks import run_due as run_due
from exchange.orders.tasks import withdraw_unfunded as withdraw_unfunded
from exchange.quotes.tasks import expire_due as expire_due
