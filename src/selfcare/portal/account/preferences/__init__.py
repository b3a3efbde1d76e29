"""Language, time zone and theme of one person. URL: /account/preferences. Audit: account.details_changed."""
