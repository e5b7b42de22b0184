"""Job rows: the row is the work, Celery only rings the doorbell."""
