"""Getting a sign-in without anybody's help: by a number of one's own, or as a new customer.

URLs: /sign-up, /sign-up/number, /sign-up/code, /sign-up/new, /sign-up/finish.
Audit: account.created, sign_in.code_failed.
"""
