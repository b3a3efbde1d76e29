"""Who did what, in words: what the audit log says to the customer. URL: /activity."""
