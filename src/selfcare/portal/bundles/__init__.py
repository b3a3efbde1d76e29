"""Several things for several services in one purchase. URLs: /bundles. Audit prefix: orders."""
