"""Which candidates are left out."""
