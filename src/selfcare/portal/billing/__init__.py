"""Bills, what is owed and what was paid.

URLs: /billing, /billing/invoices, /billing/invoices/{id}. Audit prefix: billing.
"""
