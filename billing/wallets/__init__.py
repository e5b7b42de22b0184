"""What a wallet's owner and the exchange agree about it: credit, budgets of projects, warnings."""
