"""What may stand in the place of a unit."""
