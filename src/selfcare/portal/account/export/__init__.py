"""A copy of everything held of a person. URLs: /account/export.

Audit: account.export_asked, export_ready, export_fetched.
"""
