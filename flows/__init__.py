"""Prefect flows, the configuration of a run, and the command line."""
