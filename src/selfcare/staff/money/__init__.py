"""Money that staff move: refunds and credits, the large ones by two people. URLs: /staff/payments…. Audit: pay.…,
billing.…, staff.approval_…"""
