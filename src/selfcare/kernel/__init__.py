"""Selfcare."""
