"""Selfcare: the self-care portal of a mobile or internet operator."""
