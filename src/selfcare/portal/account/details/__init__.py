"""What a person may change about themselves: display name, phone number, e-mail address.

URLs: /account/name, /account/phone, /account/email, /account/email/confirm, /account/email/cancel.
Audit: account.details_changed, account.email_change_asked, account.email_changed, account.email_change_cancelled,
account.email_change_undone.
"""
