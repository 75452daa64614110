"""Reads inputs that nobody would write: ``python -m tests.corpora.readers.fuzz_driver NAME COUNT SEED``.

Whatever the bytes are, a reader raises an error of ours or gives every row, each of which can be stored, within a
second of processor time. ``NAME`` is a reader or a kind of Arrow file, which can end the process; ``arrow``: all of
those; ``all``.
"""

import gzip
import json
import logging
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from spanferry.corpora.arrow import examples_to_table, pairs_from_table, pairs_to_table, read_table, write_table
from spanferry.corpora.errors import SpanferryError
from spanferry.corpora.multiway import MultiRow
from spanferry.corpora.readers import BadRow, open_reader
from spanferry.corpora.readers.multiway import open_parallel
from spanferry.corpora.schema import Example, validate
from spanferry.corpora.stored.emitted import EmittedDataset
from spanferry.corpora.writers import open_writer
from spanferry.flows.inspector.index import index_part
from tests.corpora.readers.fuzz_inputs import GOOD, fuzzed, mutated
from tests.corpora.writer_rows import failed, pair

LONGEST = 1.0  # seconds of processor time for one input
_BLANK = " \t\r\n\ufeff"


def read(name: str, path: Path) -> list[Any]:
    """All rows of an input, as a reader gives them."""
    if name in ("tmx", "tsv", "moses"):
        rows = []
        options = {"columns": ["id", "en", "de"]} if name == "tsv" else {}
        for reader in open_parallel(
            str(path if name != "moses" else path.with_suffix("")), format=name, options=options
        ):
            assert reader.languages
            rows += list(reader.read())
        return rows
    format = "jsonl" if name == "gzip" else name
    return list(open_reader(path, lang="en", format=format).read())


def place(name: str, folder: Path) -> Path:
    """Where the input of a reader lies; what belongs to it is beside it."""
    if name == "brat":
        (folder / "x.txt").write_text("Eva ruft", encoding="utf-8")
    if name == "moses":
        (folder / "x.de").write_bytes(GOOD["moses"])
        (folder / "x.de-en.align").write_text("0-0 1-1\n0-0\n", encoding="utf-8")
    return folder / {"brat": "x.ann", "tmx": "x.tmx", "tsv": "x.tsv", "moses": "x.en", "gzip": "x.gz"}.get(name, "x.in")


def rows_in(name: str, content: bytes) -> int | None:
    """How many rows an input has, counted without the reader; None: the format does not let us."""
    if name == "gzip":
        content = gzip.decompress(content)
    if name in ("jsonl", "doccano", "gzip"):
        return sum(bool(line.decode("utf-8").strip(_BLANK)) for line in content.split(b"\n"))
    if name in ("text", "moses", "tsv"):
        return len(content.removesuffix(b"\n").split(b"\n"))
    if name == "squad":
        found = json.loads(content)
        paragraphs = [p for article in found["data"] for p in article["paragraphs"]]
        return sum(len(p["qas"]) for p in paragraphs)
    if name == "label_studio":
        return len(json.loads(content))
    return 1 if name == "brat" else None


def check_rows(rows: Iterable[Any]) -> None:
    """Every row is valid and can be stored."""
    examples, bad = [], []
    for row in rows:
        if isinstance(row, MultiRow):
            examples += row.examples.values()
        elif isinstance(row, BadRow):
            bad.append(row.as_pair("en"))
        else:
            assert isinstance(row, Example)
            examples.append(row)
    for example in examples:
        validate(example)
        assert all(example.texts[s.field][s.start : s.end] == example.quote(s) != "" for s in example.spans)
    examples_to_table(examples)
    pairs_to_table(bad)


def attempt(name: str, path: Path, content: bytes) -> int:
    """Reads one input; the number of rows, -1 where it was refused.

    Raises:
        AssertionError: A row is lost or wrong; so does anything else that is not an error of ours.
    """
    path.write_bytes(content)
    try:
        rows = read(name, path)
    except SpanferryError as error:
        assert str(error)
        return -1
    check_rows(rows)
    try:
        expected = rows_in(name, content)
    except (KeyError, TypeError, ValueError, AttributeError, EOFError, OSError):
        expected = None  # the whole file has another shape, and was taken for rows all the same
    assert expected is None or len(rows) == expected, f"{len(rows)} rows of {expected}"
    return len(rows)


# Arrow files: a good one, and what reads it.


def _stage(folder: Path) -> tuple[list[Path], Callable[[], Any]]:
    write_table(folder / "a.arrow", pairs_to_table([pair(0), pair(1), failed()]))
    return [folder / "a.arrow"], lambda: [pairs_from_table(read_table(folder / "a.arrow"))]


def _emitted(folder: Path) -> tuple[list[Path], Callable[[], Any]]:
    open_writer("arrow").write([[pair(0), pair(1), failed()]], folder)
    (folder / "SHA256SUMS").unlink()  # someone's who knows how to make one
    files = [p for p in folder.rglob("*") if p.is_file()]

    def looked_at() -> Any:
        data = EmittedDataset(folder)
        assert data.version
        for part in data.parts:
            index_part(part)
        return list(data.pairs())

    return files, looked_at


def _saved(folder: Path) -> tuple[list[Path], Callable[[], Any]]:
    files, _ = _emitted(folder)
    return files, lambda: check_rows(open_reader(folder, lang="es", format="saved").read())


def _parquet(folder: Path) -> tuple[list[Path], Callable[[], Any]]:
    rows = [{"id": str(n), "text": "Eva ruft", "spans": [{"start": 0, "end": 3, "label": "P"}]} for n in range(40)]
    pq.write_table(pa.Table.from_pylist(rows), folder / "a.parquet")
    path = folder / "a.parquet"
    return [path], lambda: check_rows(open_reader(path, lang="en", format="parquet").read())


ARROW = {"stage": _stage, "emitted": _emitted, "saved": _saved, "parquet": _parquet}


def arrow_attempts(name: str, folder: Path, count: int, rng: random.Random) -> Iterator[tuple[str, Callable[[], int]]]:
    """Attempts on one kind of Arrow file, with what is changed in each."""
    files, look = ARROW[name](folder)
    for _ in range(count):
        file = rng.choice(sorted(files))
        good = file.read_bytes()
        changed = mutated(good, rng)
        if rng.random() < 0.5:  # bytes alone: of the same length, so that more of it is read
            changed = bytearray(good)
            for _ in range(rng.randint(1, 8)):
                changed[rng.randrange(len(changed) or 1)] = rng.randrange(256)

        def go(file: Path = file, good: bytes = good, changed: bytes | bytearray = changed) -> int:
            file.write_bytes(changed)
            try:
                look()
                return 0
            except SpanferryError as error:
                assert str(error)
                return -1
            finally:
                file.unlink()
                file.write_bytes(good)

        yield f"{file.relative_to(folder)} {bytes(changed)!r}", go


def attempts(name: str, folder: Path, count: int, rng: random.Random) -> Iterator[tuple[str, Callable[[], int]]]:
    """Attempts on one reader or kind of Arrow file."""
    if name in ARROW:
        yield from arrow_attempts(name, folder, count, rng)
        return
    path = place(name, folder)
    for _ in range(count):
        content = fuzzed(name, rng)
        yield repr(content), lambda content=content: attempt(name, path, content)  # type: ignore[misc]


def fuzz(name: str, count: int, seed: str, note: Path | None = None) -> dict[str, Any]:
    """Figures, and what failed.

    Args:
        name: Of the reader.
        count: Inputs.
        seed: Of the inputs.
        note: A file that holds the input of the moment, for where it ends the process.
    """
    refused, slowest, failures = 0, 0.0, []
    with tempfile.TemporaryDirectory() as folder:
        for shown, go in attempts(name, Path(folder), count, random.Random(f"{name} {seed}")):
            if note is not None:
                note.write_text(shown, encoding="utf-8", errors="backslashreplace")
            started = time.thread_time()
            try:
                refused += go() < 0
            except Exception as error:
                failures.append(f"{type(error).__name__}: {error} {shown[:3000]}")
            took = time.thread_time() - started
            slowest = max(slowest, took)
            if took > LONGEST:
                failures.append(f"{took:.1f} s: {shown[:3000]}")
    return {"name": name, "tries": count, "refused": refused, "slowest": round(slowest, 2), "failures": failures}


if __name__ == "__main__":
    logging.disable()  # every bad row is reported
    several = {"all": [*GOOD, *ARROW], "arrow": [*ARROW]}
    for one in several.get(sys.argv[1], [sys.argv[1]]):
        print(json.dumps(fuzz(one, int(sys.argv[2]), sys.argv[3], Path("fuzz-input.txt"))), flush=True)
