"""Invoices to customers and statements to providers: numbered, final, posted once."""
