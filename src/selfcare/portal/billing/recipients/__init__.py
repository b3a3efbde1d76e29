"""Further addresses that get a copy of each new bill, at /billing/recipients; what they get, at /billing/copy."""
