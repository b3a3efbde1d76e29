"""Getting in and out: one page for customers and staff.

URLs: /sign-in, /sign-in/out, /sign-in/kept, /sign-in/alive.
Audit: sign_in.succeeded, sign_in.failed, sign_in.signed_out.
"""
