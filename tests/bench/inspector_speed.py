"""How fast the inspector is on a run of a million rows, and how much memory it takes.

``python tests/bench/inspector_speed.py --out FOLDER [--rows N]`` translates our own sample sentences once, repeats
their rows under new ids and with other scores, opens the run in a server process and prints seconds a page, as a person
waits for it, and the memory of the process. Nothing here is part of the tests.
"""

import argparse
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

ROWS_PER_BATCH, ROWS_PER_FILE = 1000, 100_000
# What a person asks for: pages of the table in this order, each at its first time and again.
PAGES = {
    "first page, index not there yet": "/rows",
    "sort by score": "/rows?sort=score",
    "filter by label": "/rows?label=number",
    "filter by method": "/rows?method=lexical",
    "filter by score range": "/rows?low=0.2&high=0.6&sort=score",
    "rejected, by reason": "/rows?kept=rejected&reason=translate%3Abroken_output",
    "methods disagree": "/rows?agreement=one&sort=score",
    "open rows only": "/rows?review=open&sort=score",
    "page 10,000": "/rows?sort=score&page=10000",
    "search by id": "/rows?id=777-travel",
    "pair view": "/api/pair/500000?sort=score",
    "report": "/report",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=5)
    given = parser.parse_args()
    small, large = given.out / "small", given.out / f"rows-{given.rows}"
    command = [sys.executable, "-m", "spanferry.flows.cli.main"]
    if not (small / "es" / "dataset_dict.json").exists():
        run = ["run", "translate-train", "--input", "sample:sentences", "--target", "es", "--out", str(small)]
        subprocess.run([*command, *run], check=True, stdout=subprocess.DEVNULL)
    if not (large / "es" / "dataset_dict.json").exists():
        enlarge(small, large, given.rows)
    for left in (*large.glob(".inspect/*"), *large.glob("decisions.jsonl")):
        left.unlink()
    server = subprocess.Popen([*command, "inspect", str(large), "--port", "0"], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        started = time.monotonic()
        found = next(m for line in server.stdout if (m := re.search(r"http://([\d.:]+)/\?token=([\w-]+)", line)))
        address = found[1]
        COOKIE["cookie"] = f"spanferry-{address.rpartition(':')[2]}={found[2]}"
        print(f"{given.rows:,} rows; the address was printed after {time.monotonic() - started:.2f} s")
        for name, path in PAGES.items():
            first = seconds(address, path)
            again = statistics.median(seconds(address, path) for _ in range(given.times))
            print(f"{name:34} {first:6.3f} s, again {again:6.3f} s (median of {given.times})")
            if name == "first page, index not there yet":
                print(f"{'the index was ready after':34} {wait_for_index(address, started):6.3f} s")
        times = [decide(address, 500_000 * given.rows // 1_000_000 + i) for i in range(200)]
        print(
            f"{'a decision, on the disk':34} {statistics.median(times):6.3f} s (median of 200), most {max(times):.3f} s"
        )
        print(f"{'anonymous memory of the process':34} {memory(server.pid, 'RssAnon'):,} MB")
        print(f"{'with mapped files':34} {memory(server.pid, 'VmRSS'):,} MB")
    finally:
        server.terminate()
        server.wait()


def seconds(address: str, path: str) -> float:
    """Seconds until a page is here whole."""
    started = time.monotonic()
    status = page(address, path)
    assert status == 200, (path, status)
    return time.monotonic() - started


COOKIE: dict[str, str] = {}  # holds the server's token


def page(address: str, path: str) -> int:
    """Reads a page; its status."""
    connection = http.client.HTTPConnection(address, timeout=120)
    connection.request("GET", path, headers=COOKIE)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def decide(address: str, row: int) -> float:
    """Seconds from a key (the row is flagged) until the page knows that it is on the disk."""
    connection = http.client.HTTPConnection(address, timeout=120)
    connection.request("GET", f"/api/pair/{row}?sort=score", headers=COOKIE)
    known = json.loads(connection.getresponse().read())
    edit = {"row": row, "version": known["version"], "dataset": known["dataset"], "action": "flag"}
    headers = {"content-type": "application/json", "origin": f"http://{address}", **COOKIE}
    started = time.monotonic()
    connection.request("POST", "/api/decide?sort=score", json.dumps(edit), headers)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200
    return time.monotonic() - started


def wait_for_index(address: str, started: float) -> float:
    """Seconds from ``started`` until a filter is answered; meanwhile every answer says how far the index is."""
    while page(address, "/rows?sort=id&low=0.99") == 202:
        pass  # the server waits a second before it answers so
    return time.monotonic() - started


def memory(pid: int, name: str) -> int:
    """A line of the process' status, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"{name}:\s+(\d+) kB", status)
    return int(found[1]) // 1024 if found else 0


def enlarge(small: Path, large: Path, rows: int) -> None:
    """A run with the rows of ``small`` over and over: new ids, scores from a beta distribution, the rest as it is."""
    generator = np.random.default_rng(0)
    for split in ("train", "rejected"):
        source = pa.ipc.open_stream(pa.memory_map(str(small / "es" / split / "data-00000-of-00001.arrow"))).read_all()
        share = rows * 187 // 200 if split == "train" else rows - rows * 187 // 200
        folder = large / "es" / split
        folder.mkdir(parents=True)
        files = max(1, -(-share // ROWS_PER_FILE))
        names = [f"data-{i:05d}-of-{files:05d}.arrow" for i in range(files)]
        made = 0
        for name in names:
            with pa.OSFile(str(folder / name), "wb") as sink, pa.ipc.new_stream(sink, source.schema) as stream:
                for _ in range(ROWS_PER_FILE // ROWS_PER_BATCH):
                    count = min(ROWS_PER_BATCH, share - made)
                    if count:
                        stream.write_table(_varied(source, made, count, generator))
                    made += count
        state = {"_data_files": [{"filename": name} for name in names], "_fingerprint": f"{split}-{rows}"}
        (folder / "state.json").write_text(json.dumps(state))
    for name in ("report.json", "report.md", ".spanferry.json", "dataset_dict.json"):
        (large / "es" / name).write_bytes((small / "es" / name).read_bytes())
    (large / "config.json").write_bytes((small / "config.json").read_bytes())


def _varied(source: pa.Table, first: int, count: int, generator: np.random.Generator) -> pa.Table:
    taken = source.take(np.arange(first, first + count) % source.num_rows).combine_chunks()
    ids = [f"{first + i}-{name}" for i, name in enumerate(taken.column("id").to_pylist())]
    taken = taken.set_column(0, source.schema.field("id"), pa.array(ids))
    column = taken.schema.get_field_index("projections")
    lists = taken.column(column).combine_chunks()
    lists = lists.chunk(0) if isinstance(lists, pa.ChunkedArray) else lists
    values = lists.values
    scores = pa.array(generator.beta(4, 1, len(values)))
    children = [scores if f.name == "score" else values.field(f.name) for f in values.type]
    fresh = pa.StructArray.from_arrays(children, fields=list(values.type))
    return taken.set_column(
        column, source.schema.field("projections"), pa.ListArray.from_arrays(lists.offsets, fresh, type=lists.type)
    )


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    main()
