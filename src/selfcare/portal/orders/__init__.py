"""What was bought and how far it is. URLs: /orders, /orders/{id}. Audit prefixes: topup, addons, orders."""
