"""What staff change while we run: an append-only history of settings, followed by every process."""
