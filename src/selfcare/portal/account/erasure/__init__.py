"""Being forgotten: asked for, thought over for 14 days, done by a job. URLs: /account/erasure.

Audit: account.erasure_asked, erasure_cancelled, erased.
"""
