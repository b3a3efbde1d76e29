"""The SIM or eSIM of a service and its codes. URLs: /services/{service_id}/sim…. Audit: services.secret_shown."""
