"""What have I left, when does it end, do I owe anything. URLs: /, /alerts. No audit events of its own."""
