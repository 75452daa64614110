"""Which stretches of words may be switched."""
