"""Rows that are, in part, rows of another set or of their own one again."""
