"""Paying one bill without signing in, at /pay/bill; the links for it, at /pay/guests."""
