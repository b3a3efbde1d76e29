"""Moving to another plan, now or when the period ends. URL: /services/{id}/plan. Audit prefix: services."""
