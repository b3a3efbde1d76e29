"""Credit that is topped up by itself, at /topup/auto."""
