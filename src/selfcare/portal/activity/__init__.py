"""Who did what, when, from where. URLs: /activity, /activity/activity.csv. Audit: account.activity_fetched."""
