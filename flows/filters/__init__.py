"""The filters of a run that is there: its stored scores, other thresholds, and the sets that they give."""
