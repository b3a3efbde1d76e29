"""What support does for somebody's sign-in. URLs: /staff/customers/{id}/people/{id}. Audit: staff.…."""
