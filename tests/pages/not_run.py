"""The commands of pages that no test runs, each with the reason; their options are checked all the same.

A key is a command as `Command` prints it; ``*`` stands for anything.
"""

import re

MEASURES = "a measurement of minutes to hours on the whole gold: tests/bench/page_numbers.py runs it"
TRAINS = "training and its preparation take an hour and the public texts"
SERVES = "waits for a browser: tests/browser drives the page"
INSTALLS = "sets up an environment"
HUB = "downloads from the hub"
FIREFOX = "downloads a model of Firefox; with FOLDER it runs"
SERVER = "needs a server of somebody else's"
CLUSTER = "needs a Dask cluster, or starts eight processes: tests/flows/sets/test_run_parallel.py runs Dask"
REVIEWED = "needs 20 reviewed spans: tests/flows/test_calibrate.py reviews them"
LANGUAGE_MODEL = "needs a language model: tests/translators builds small ones"

NOT_RUN = {
    "python tests/bench/*": MEASURES,
    "spanferry evaluate projection * --gold abstrct -p default -p alignment -p 'alignment[aligner_options*": MEASURES,
    "spanferry evaluate projection --gold europarl --gold xsid -p default -p alignment -p *": MEASURES,
    "spanferry evaluate projection --gold europarl --gold xsid-de *": MEASURES,
    "spanferry evaluate alignment * -a eflomal *": MEASURES,
    "python -m spanferry.translators.bundled.evaluate*": MEASURES,
    "python -m spanferry.projectors.evaluation.fit_weights*": MEASURES,
    "python -m spanferry.projectors.bundled.*": TRAINS,
    "python -m spanferry.translators.bundled.*": TRAINS,
    "python -m spanferry.projectors.markers.training_text*": TRAINS,
    "python -m tests.*": MEASURES,
    "spanferry calibrate OUT": REVIEWED,
    "spanferry filter tune OUT": REVIEWED,
    "spanferry run translate-train * --set filters.max_error.calibration=OUT/calibration.json": REVIEWED,
    "spanferry filter tune OUT --target es --precision 0.7 --gold es-europarl*": MEASURES,
    "python -m": "the name of a kind of command",
    "spanferry inspect *": SERVES,
    "make *": INSTALLS,
    "pip *": INSTALLS,
    "less *": "shows a file until a key is pressed",
    "spanferry run translate-train --input hf:*": HUB,
    "spanferry models add *": HUB,
    "spanferry models check *": "compares a model with its origin, which is on the hub",
    "spanferry run translate-train --input sample:sentences --target pt --translator firefox --out OUT": FIREFOX,
    "spanferry run translate-train --translator DIR *": LANGUAGE_MODEL,
    "spanferry run translate-train --translator endpoint:MODEL *": SERVER,
    "spanferry run translate-train --input train.jsonl --target es --out OUT --executor dask *": CLUSTER,
}


def entry_of(command: str) -> str | None:
    """The first key that a command falls under, or None."""
    for key in NOT_RUN:
        if re.fullmatch(".*".join(map(re.escape, key.split("*"))), command, re.DOTALL):
            return key
    return None
