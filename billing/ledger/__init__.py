"""The books: accounts, transactions and their entries, and funds held for orders."""
