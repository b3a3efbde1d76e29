"""Where payment gateways tell us what happened: /hooks/payments/{adapter}. Audit prefix: pay."""
