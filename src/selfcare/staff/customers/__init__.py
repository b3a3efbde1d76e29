"""Customers as staff find and see them. URLs: /staff/customers…. Audit: staff.searched, staff.customer_viewed."""
