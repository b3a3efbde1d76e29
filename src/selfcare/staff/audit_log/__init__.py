"""The whole audit log, for who may see it. URL: /staff/audit. Audit: staff.audit_viewed."""
