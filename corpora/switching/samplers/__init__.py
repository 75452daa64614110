"""Which of the units are switched, and into what."""
