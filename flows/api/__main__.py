"""``python -m spanferry`` is the command ``spanferry``."""

from spanferry.flows.cli.main import main

main()
