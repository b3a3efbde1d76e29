"""What customers ask and staff decide. URLs: /staff/requests.

Audit: account.request_answered, pay.refund_started, billing.credited.
"""
