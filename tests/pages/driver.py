"""Runs the commands of the pages in one process, each page in a folder of its own: ``driver.py WORK < JOBS > RESULTS``.

JOBS is a JSON object of page to commands, RESULTS a line of JSON for each command. A new process for each command would
take seconds more; everything else is as a user types it.
"""

import contextlib
import io
import json
import os
import runpy
import shutil
import sys
import time
import traceback
from itertools import pairwise
from pathlib import Path

# Added to commands of a page: its inputs may be the 200 rows of a sample.
_FEW = ("--limit", "4")
# What stands for a choice of the reader's.
_CHOSEN = {"KIND": "filters"}
_RUN = ["run", "translate-train", "--input", "train.jsonl", "--target", "es", "--allow-empty"]


def call(words: list[str]) -> tuple[int, str]:
    """A command's exit status and all that it prints."""
    from spanferry.flows.cli.main import main

    program, *arguments = words
    printed, before = io.StringIO(), sys.argv
    status = 0
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            sys.argv = [program, *arguments]
            if program == "spanferry":
                main()
            elif arguments[0] == "-c":
                exec(arguments[1], {})
            else:
                runpy.run_path(arguments[0], run_name="__main__")
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        except Exception:
            traceback.print_exc()
            status = 70
        finally:
            sys.argv = before
    return status, printed.getvalue()


def prepare(folder: Path) -> None:
    """The files of the pages in ``folder``: inputs, a run named RUN and OUT with decisions, code-switched rows."""
    from tests.pages.workspace import write_files

    folder.mkdir()
    write_files(folder)
    os.chdir(folder)
    _must(["spanferry", *_RUN, "--out", "OUT", "--target", "de"])
    for name in ("RUN", "demo-out"):
        shutil.copytree("OUT", name)
    _must(["spanferry", "decisions", "export", "OUT", "--target", "es", "--to", "DIR"])
    tasks = json.loads(next(Path("DIR").glob("*.json*")).read_text())
    for task in tasks:
        task["annotations"] = task.pop("predictions", [])
    Path("EXPORT.json").write_text(json.dumps(tasks))
    shutil.rmtree("OUT/de")
    _must(["spanferry", "decisions", "import", "OUT", "EXPORT.json"])
    _must(["spanferry", "run", "apply-decisions", "--out", "OUT"])


def _must(words: list[str]) -> None:
    status, printed = call(words)
    if status:
        raise SystemExit(f"{' '.join(words)}\n{printed}")


def adapted(words: list[str], later: list[list[str]], seen: set[str]) -> list[str]:
    """A page's command on few rows, and into a fresh folder where it makes a run anew.

    A run whose output no later command of the page reads is rehearsed with ``--dry-run``: all of its steps work, but
    Prefect and the writing, which take most of the time. The first run of each flow is always whole.
    """
    words = [_CHOSEN.get(word, word) for word in words]
    if words[1] != "run" or "--help" in words:
        return words
    flow, out = words[2], words[words.index("--out") + 1]
    if flow in ("translate-train", "project"):
        _clear(Path(out))
        words = [*words, *_FEW]
    first = flow not in seen
    seen.add(flow)
    return words if first or flow == "apply-decisions" or _is_read(out, later) else [*words, "--dry-run"]


def _clear(run: Path) -> None:
    """Deletes a run, and like ``--overwrite`` no decision."""
    for path in run.iterdir() if run.is_dir() else ():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "decisions.jsonl":
            path.unlink()


def _is_read(folder: str, later: list[list[str]]) -> bool:
    """Whether one of the later commands reads a folder, or a file in it, before another one makes it anew."""
    for words in later:
        makes = words[1:3] in (["run", "translate-train"], ["run", "project"])
        inputs = [word for before, word in pairwise(words) if not (makes and before == "--out")]
        if any(word == folder or word.startswith(f"{folder}/") for word in inputs):
            return True
        if makes and folder in words:
            return False
    return False


def main() -> None:
    """Prepares the folder, runs all commands of each page in order, prints a line for each."""
    from tests.pages.workspace import write_gold, write_model

    work = Path(sys.argv[1])
    jobs: dict[str, list[list[str]]] = json.load(sys.stdin)
    os.environ["SPANFERRY_DATA"] = str(work / "gold")
    os.environ["SPANFERRY_CACHE"] = str(work / "cache")
    write_gold(work / "gold")
    write_model(work / "cache")
    prepare(work / "prepared")
    seen: set[str] = set()
    for number, (page, commands) in enumerate(jobs.items()):
        here = work / f"page-{number}"
        shutil.copytree(work / "prepared", here, symlinks=True)
        os.chdir(here)
        for place, words in enumerate(commands):
            began = time.process_time()
            status, printed = call(adapted(words, commands[place + 1 :], seen))
            line = {"page": page, "command": words, "status": status, "printed": printed}
            print(json.dumps({**line, "seconds": time.process_time() - began}), flush=True)


if __name__ == "__main__":
    main()
