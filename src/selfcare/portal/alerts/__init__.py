"""Conditions shown while they are true, at /alerts."""
