"""The tasks of the rooms, where Celery looks for them."""

from billing.payouts.tasks import release_due as release_due
