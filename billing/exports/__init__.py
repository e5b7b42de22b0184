"""What leaves the books as files: tables, journals for other ledgers, and costs in the FOCUS format."""
