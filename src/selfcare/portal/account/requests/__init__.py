"""What customers ask of the operator's people. URLs: /account/requests.

Audit: account.request_made, request_replied, request_withdrawn, request_answered.
"""
