"""Who did what, when, from where.

URLs: /activity, /activity/activity.csv, /activity/not-me. Audit: account.activity_fetched, sign_in.disowned.
"""
