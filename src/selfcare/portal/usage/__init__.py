"""What is left, what was used, and where it went.

URLs: /usage, /usage/{service_id} with balance, why and records. Audit prefix: usage.
"""
