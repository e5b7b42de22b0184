"""Providers' accounts with Stripe, and what is sent to them."""
