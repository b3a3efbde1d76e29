"""Settings of a service that the customer changes: the ones its product lists, and no others."""
