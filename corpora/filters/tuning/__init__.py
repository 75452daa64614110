"""Thresholds from stored scores: what each column holds, how columns go together, and what to set them to."""
