"""Stored cards, at /cards."""
