"""Payments by card through Stripe: saved methods, top-ups, collected invoices, refunds and disputes."""
