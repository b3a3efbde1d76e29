"""Credit for somebody else's number, at /topup/other."""
