"""What the network sends in, at /feeds. Programs prove themselves by a key of SELFCARE_FEED_KEYS."""
