"""A promise to pay what is overdue by a day, at /billing/promise."""
