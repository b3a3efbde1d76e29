"""A service that goes to another customer. URLs: /staff/customers/…/transfer, /staff/transfers.

Audit: services.handed_over, services.taken_over, staff.approval_….
"""
