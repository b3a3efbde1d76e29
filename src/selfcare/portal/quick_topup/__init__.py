"""Topping up without signing in, at /quick-topup."""
