"""The customer's details, people and places, and the person's own sign-in.

URLs: /account. Audit prefix: account.
"""
