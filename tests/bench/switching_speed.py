"""How many rows one core code-switches in a second from stored alignments: ``python tests/bench/switching_speed.py``.

Short made-up sentences with links and spans are read from an Arrow file, switched and written to another. The time is
the processor time of all threads together for reading, switching and writing, so that other work on the machine plays
no part. Memory is that of the process, with ten times the rows too.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", OMP_THREAD_LIMIT="1")

import pyarrow as pa

from spanferry.corpora.multiway import MultiRow, WordLinks, rows_to_table
from spanferry.corpora.schema import Example, Span
from spanferry.corpora.switching.constraints.equivalence import EquivalenceConstraint
from spanferry.corpora.switching.constraints.none import NoConstraint
from spanferry.corpora.switching.counterparts.alignment import AlignmentCounterparts
from spanferry.corpora.switching.samplers.cmi import CmiSampler
from spanferry.corpora.switching.samplers.probability import ProbabilitySampler
from spanferry.corpora.switching.switcher import Switcher
from spanferry.corpora.switching.units.phrase import PhraseUnits
from spanferry.corpora.switching.units.span import SpanUnits
from spanferry.corpora.switching.units.word import WordUnits
from spanferry.corpora.text.words import words

_SENTENCES = (
    ("Call {a} from {b} tomorrow.", "Llama a {a} de {b} mañana.", "0-0 1-2 2-3 3-4 4-5 5-6"),
    ("The red train to {b} is late.", "El tren rojo a {b} llega tarde.", "0-0 1-2 2-1 3-3 4-4 5-5 6-6 7-7"),
    ("Remind {a} to buy a new house in {b}!", "¡Recuérdale a {a} que compre una casa nueva en {b}!", ""),
    ("Play some quiet music for {a}", "Pon música tranquila para {a}", "0-0 2-2 3-1 4-3 5-4"),
)
_NAMES = (("Anna", "Anna"), ("Peter", "Pedro"), ("Maria", "María"))
_TOWNS = (("London", "Londres"), ("Vienna", "Viena"), ("Cologne", "Colonia"))


def made_up(rows: int) -> pa.Table:
    """Rows of two languages; every text is different."""
    found = []
    for i in range(rows):
        en, es, line = _SENTENCES[i % 4]
        (a, x), (b, y) = _NAMES[i // 4 % 3], _TOWNS[i // 12 % 3]
        sides = []
        for text, name, town in ((en, f"{a}{chr(97 + i % 26)}", b), (es, f"{x}{chr(97 + i % 26)}", y)):
            text = text.format(a=name, b=town)
            spans = [
                Span(text.index(quote), text.index(quote) + len(quote), label, f"s{k}")
                for k, (quote, label) in enumerate(((name, "PER"), (town, "LOC")))
                if quote in text
            ]
            sides.append((text, tuple(spans)))
        cuts = [words(text) for text, _ in sides]
        pairs = [tuple(map(int, p.split("-"))) for p in line.split()] or [
            (k, k + 1) for k in range(min(len(cuts[0]), len(cuts[1])) - 1)
        ]
        links = tuple((p, q, 0.9) for p, q in pairs if p < len(cuts[0]) and q < len(cuts[1]))
        examples = {
            lang: Example(str(i), lang, {"text": text}, spans)
            for lang, (text, spans) in zip(("en", "es"), sides, strict=True)
        }
        found.append(MultiRow(str(i), examples, (WordLinks("en", "es", "text", *cuts, links),)))
    return rows_to_table(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--batch", type=int, default=8000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--memory-of", type=int, help="only: switch so many rows and print the peak memory in MB")
    arguments = parser.parse_args()
    if arguments.memory_of:
        memory(arguments.memory_of, arguments.batch)
        return
    none, equivalence = NoConstraint(), EquivalenceConstraint()
    cases = {
        "span": Switcher("en", ("es",), SpanUnits(), AlignmentCounterparts(), none, ProbabilitySampler()),
        "word": Switcher("en", ("es",), WordUnits(), AlignmentCounterparts(), none, ProbabilitySampler()),
        "word, equivalence": Switcher(
            "en", ("es",), WordUnits(), AlignmentCounterparts(), equivalence, ProbabilitySampler()
        ),
        "phrase, equivalence, CMI 25": Switcher(
            "en", ("es",), PhraseUnits(), AlignmentCounterparts(), equivalence, CmiSampler()
        ),
    }
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "rows.arrow"
        store(made_up(arguments.rows), place, arguments.batch)
        for name, switcher in cases.items():
            switched, seconds = 0, []
            for _ in range(arguments.runs):
                started = time.process_time()
                switched = run(switcher, place, Path(folder) / "out.arrow")
                seconds.append(time.process_time() - started)
            rate = arguments.rows / statistics.median(seconds)
            print(f"{name:>28}  {rate:>10,.0f} rows/s  ({switched / arguments.rows:.2f} units switched per row)")
    for rows in (arguments.rows, 10 * arguments.rows):
        command = [sys.executable, __file__, "--memory-of", str(rows), "--batch", str(arguments.batch)]
        reported = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(f"{rows:>12,} rows: peak memory {reported['megabytes']:.0f} MB")


def run(switcher: Switcher, place: Path, out: Path) -> int:
    """Switches the rows of a file into another; returns how many units were switched."""
    switched = 0
    sink = None
    with pa.OSFile(str(place)) as source, pa.OSFile(str(out), "wb") as target:
        for batch in pa.ipc.open_stream(source):
            done = switcher.switch(pa.Table.from_batches([batch]))
            switched += done.counts["switched"]
            sink = sink or pa.ipc.new_stream(target, done.kept.schema)
            sink.write_table(done.kept)
        if sink is not None:
            sink.close()
    return switched


def store(table: pa.Table, place: Path, batch: int) -> None:
    """Writes the rows in batches."""
    with pa.OSFile(str(place), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table, max_chunksize=batch)


def memory(rows: int, batch: int) -> None:
    """Prints the peak memory of switching so many rows; the same batch is switched again and again."""
    table = made_up(batch)
    switcher = Switcher("en", ("es",), WordUnits(), AlignmentCounterparts(), NoConstraint(), ProbabilitySampler())
    for _ in range(-(-rows // batch)):
        switcher.switch(table)
    print(json.dumps({"megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
