"""What a second member of staff has to agree to. URLs: /staff/approvals. Audit: staff.approval_…"""
