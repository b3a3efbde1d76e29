"""What was used and what is left, at /usage."""
