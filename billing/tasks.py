"""The tasks of the rooms, where Celery looks for them."""

from billing.cards.tasks import collect_due as collect_due
from billing.fapiao.tasks import poll_issuer as poll_issuer
from billing.gateway.tasks import pull_balance as pull_balance
from billing.payouts.tasks import make_due as make_due
from billing.payouts.tasks import release_due as release_due
from billing.pricing.tasks import close_expired as close_expired
from billing.rating.tasks import rate_waiting as rate_waiting
from billing.reconciliation.tasks import reconcile as reconcile
from billing.wallets.tasks import watch as watch
from billing.webhooks.tasks import poll as poll
