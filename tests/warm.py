"""Runs commands in forks of one process that has imported what they need.

``python -m tests.warm`` reads a line of JSON per command, ``{"arguments": […], "out": FILE, "err": FILE}``, runs
``spanferry ARGUMENTS`` in a fork, and answers with a line: its exit status. A command is a process of its own as ever;
only the seconds that Python takes to import Prefect and the engines are spent once.
"""

import gc
import json
import os
import sys
from importlib import import_module

# What the commands import as they go. Modules alone: threads do not survive a fork, so nothing runs here.
MODULES = (
    "spanferry.flows.cli.main",
    "spanferry.flows.cli.run",
    "spanferry.flows.engine.flow",
    "spanferry.flows.engine.pools",
    "spanferry.flows.translate.flow",
    "spanferry.flows.sets.derive",
    "spanferry.flows.switch.flow",
    "spanferry.flows.prefect.server",
    "spanferry.projectors.methods.default",
    "spanferry.projectors.filters.span_fidelity",
    "spanferry.projectors.aligners.encoder.aligner",
    "spanferry.translators.engine.ct2",
    "prefect",
    "prefect.client.orchestration",
    "datasets",
    "lingua",
    "spacy",
)


def serve() -> list[str] | None:
    """Answers until the input ends; in a fork, the arguments of the command to run."""
    for line in sys.stdin:
        asked = json.loads(line)
        if not (child := os.fork()):
            for path, descriptor in ((os.devnull, 0), (asked["out"], 1), (asked["err"], 2)):
                opened = os.open(path, os.O_RDONLY if descriptor == 0 else os.O_WRONLY | os.O_CREAT, 0o600)
                os.dup2(opened, descriptor)
            arguments: list[str] = asked["arguments"]
            return arguments
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    return None


if __name__ == "__main__":
    import_module("spanferry.flows.prefect.setup").prepare()
    for name in MODULES:
        import_module(name)
    gc.collect()
    gc.freeze()  # so that forks copy less
    found = serve()
    if found is not None:
        sys.argv[1:] = found
        main = import_module("spanferry.flows.cli.main")
        main.main()
