"""Bills and transactions, at /billing."""
