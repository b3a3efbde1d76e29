"""Credit in advance, at /topup/{service_id}/promise."""
