"""Orders that do not come to their end by themselves. URL: /staff/orders. Audit: orders.retried, orders.given_up."""
