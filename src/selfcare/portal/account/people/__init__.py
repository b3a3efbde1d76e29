"""Who may look after a customer, and which customer one looks after now.

URLs: /account/people, /account/invitation, /account/switch. Audit: account.person_invited, invitation_accepted,
invitation_withdrawn, person_changed, person_removed, customer_switched.
"""
