"""Filters that read meaning with the tables and models of the layers below; ``corpora.filters`` lists them by name."""
