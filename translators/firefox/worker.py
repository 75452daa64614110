"""A process that holds one engine: reads a line of JSON with texts, writes a line of JSON with translations.

``python -m spanferry.translators.firefox.worker MODEL SOURCE_VOCABULARY TARGET_VOCABULARY [SHORTLIST]``. The engine
must stay in the thread that made it and keeps Python's lock while it works, so parallel work takes processes. Pipes are
used instead of ``multiprocessing``, whose daemonic processes (Dask's workers) may not have children.
"""

import json
import sys
from pathlib import Path


def main() -> None:
    """Answers until standard input ends: for each text its translation, or a list with what the engine said of it."""
    from fxtranslate import Translator

    model, read, written, *shortlist = (Path(argument).read_bytes() for argument in sys.argv[1:])
    translator = Translator(model, read, written, *shortlist)
    for line in sys.stdin:
        answers: list[str | list[str]] = []
        for text in json.loads(line):
            try:
                answers.append(translator.translate(text))
            except ValueError as error:
                answers.append([str(error)])
        print(json.dumps(answers), flush=True)


if __name__ == "__main__":
    main()
