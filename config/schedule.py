"""What beat rings, and how often. Static: the rows it points at decide what is due."""

from typing import Any, Final

# A ring that nobody heard in time is worth nothing: the next one says the same.
RING: Final = {"expires": 5}  # seconds

# name -> {"task": dotted name, "schedule": seconds or crontab}
BEAT_SCHEDULE: Final[dict[str, dict[str, Any]]] = {
    # Finds jobs whose doorbell was lost and jobs whose worker died.
    "sweep jobs": {"task": "accounts.jobs.tasks.work", "schedule": 10.0},
    # Every second: a gate is at most that late.
    "close due rounds": {"task": "exchange.auctions.close_due", "schedule": 1.0, "options": RING},
    "watch rounds": {"task": "exchange.auctions.watch", "schedule": 10.0, "options": RING},
    # What an expired quote holds is back for others at most that late.
    "expire quotes": {"task": "exchange.quotes.expire_due", "schedule": 2.0, "options": RING},
    "tick leases": {"task": "exchange.leases.run_due", "schedule": 5.0, "options": RING},
    "serve simulated agents": {"task": "exchange.agents.serve", "schedule": 15.0, "options": RING},
    # What came in is charged within a minute or two, so that unbilled usage is known; the rest waits for the next ring.
    "rate usage": {"task": "billing.rating.rate_waiting", "schedule": 30.0, "options": RING},
    # Contracts that ran over a billing month's end; the rows remember which are done.
    "invoice months": {"task": "billing.invoices.enqueue_months", "schedule": 600.0},
    # A fapiao takes the tax bureau minutes to days.
    "look for fapiao": {"task": "billing.fapiao.poll", "schedule": 60.0},
    # Days decide when an invoice is past due and reminded of; a few minutes do not matter.
    "dun invoices": {"task": "billing.invoices.run_claims", "schedule": 300.0},
    # What made-up members do; nothing where there is no demo market.
    "keep the demo market going": {"task": "exchange.demo.go_on", "schedule": 30.0},
    # What is new in the Stripe balance, and what has become available in it.
    "pull the Stripe balance": {"task": "billing.gateway.pull_balance", "schedule": 300.0},
    # Invoices that are due, from the cards that their buyers chose.
    "collect due invoices": {"task": "billing.cards.collect_due", "schedule": 3600.0},
    # Messages that Stripe could not bring, and what waits for one.
    "poll Stripe": {"task": "billing.webhooks.poll", "schedule": 900.0},
    # Wallets that run low.
    "watch wallets": {"task": "billing.wallets.watch", "schedule": 60.0},
    # Wallets that ran out, and those that were topped up since.
    "land wallets": {"task": "billing.landings.watch", "schedule": 60.0},
    # What stopped wallets leave: orders are withdrawn, then leases handed back.
    "withdraw unfunded orders": {"task": "exchange.orders.withdraw_unfunded", "schedule": 60.0},
    "hand unfunded leases back": {"task": "exchange.leases.hand_back_unfunded", "schedule": 60.0},
    # Dispute windows end at the hour; a minute more does no harm.
    "close expired vouchers": {"task": "billing.pricing.close_expired", "schedule": 600.0},
    "release payables": {"task": "billing.payouts.release_due", "schedule": 60.0},
    # Payouts fall due as a week or a month begins.
    "make payouts due": {"task": "billing.payouts.make_due", "schedule": 600.0},
    # What went through Stripe and whose job or message was lost on the way.
    "follow transfers": {"task": "billing.payouts.follow_transfers", "schedule": 60.0},
    # Differences last longer than an hour; finance can look at once by a button.
    "reconcile": {"task": "billing.reconciliation.reconcile", "schedule": 3600.0},
}
