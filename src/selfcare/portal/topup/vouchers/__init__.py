"""Codes that are worth an allowance or credit, at /topup/voucher."""
