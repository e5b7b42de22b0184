"""Projects: what an organisation's orders, costs and invoice lines are told apart by."""
