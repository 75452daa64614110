"""Inputs that nobody would write: valid files of every reader, their bytes mutated or their values exchanged."""

import gzip
import json
import random
from collections.abc import Callable
from typing import Any


def lines(*rows: object) -> bytes:
    """Each row as a line of JSON."""
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


_SPAN = {"start": 0, "end": 3, "label": "PER"}
_REGION = {"start": 0, "end": 3, "text": "Eva", "labels": ["P"]}
_RESULT = [
    {"id": "a", "type": "labels", "to_name": "text", "value": _REGION},
    {"type": "relation", "from_id": "a", "to_id": "a", "labels": ["r"]},
    {"type": "choices", "value": {"choices": ["x"]}},
]
_ANSWERED = {"id": "1", "question": "Wer?", "answers": [{"text": "Eva", "answer_start": 0}]}
_FULL = {
    "id": "a",
    "text": "Eva ruft",
    "spans": [{**_SPAN, "id": "s"}],
    "split": "test",
    "relations": [{"head": "s", "tail": "s", "label": "r"}],
    "tokens": ["Eva", "ruft"],
    "meta": {"n": 1},
}
_ENTITY = {"id": 5, "label": "P", "start_offset": 0, "end_offset": 3}
_TMX = (
    b'<?xml version="1.0" encoding="utf-8"?><tmx version="1.4"><header srclang="en"/><body>'
    b'<tu tuid="1"><tuv xml:lang="en"><seg>Good <hi type="P">Eva</hi> <ph x="1">&lt;b&gt;</ph></seg></tuv>'
    b'<tuv xml:lang="de"><seg>Gute Eva</seg></tuv></tu>'
    b'<tu><prop type="x-field">title</prop><tuv xml:lang="en"><seg>A</seg></tuv>'
    b'<tuv xml:lang="de"><seg>B</seg></tuv></tu></body></tmx>'
)

# The files that a mutation starts from, by reader; what reads them is in ``fuzz_driver``.
GOOD: dict[str, bytes] = {
    "jsonl": lines(_FULL, _FULL, _FULL),
    "doccano": lines(
        {"text": "Eva ruft", "entities": [_ENTITY], "relations": [{"from_id": 5, "to_id": 5, "type": "r"}]},
        {"text": "Eva", "label": [[0, 3, "P"]]},
    ),
    "conll": b"# id = 1\n# text = Eva ruft\n1\tEva\tN\tB-P\n2\truft\tV\tO\n\n"
    b"1\tUlm\tN\tB-L\n2\tam\tP\tI-L\n\n-DOCSTART- O\n",
    "squad": lines({"data": [{"title": "t", "paragraphs": [{"context": "Eva ruft", "qas": [_ANSWERED]}]}]}),
    "label_studio": lines([{"id": 1, "data": {"text": "Eva ruft"}, "annotations": [{"result": _RESULT}]}]),
    "brat": b"T1\tPER 0 3\tEva\nT2\tX 0 1;4 8\tE ruft\nR1\tr Arg1:T1 Arg2:T2\n"
    b"E1\tX:T2 Who:T1\nA1\tNeg E1\n#1\tNote T1\tx\n",
    "text": b"Eva ruft\nzwei\n",
    "tmx": _TMX,
    "tsv": b"1\tEva calls\tEva ruft\n2\tgood\tgut\n",
    "moses": b"Eva ruft\nzwei drei\n",
    "gzip": gzip.compress(lines(_FULL, _FULL), mtime=0),
}
# Formats whose files are JSON, or a JSON value a line: their values can be exchanged for others.
_JSON, _JSON_LINES = ("squad", "label_studio"), ("jsonl", "doccano")
VALUES = [
    b"null",
    b"5",
    b"[]",
    b"{}",
    b'""',
    b"true",
    b"1e999",
    b'"\\ud800"',
    b"-1",
    b"[[[]]]",
    b"\xff",
    b"\x00",
    b"\t",
]
_ODD: list[Callable[[random.Random], Any]] = [
    lambda rng: None,
    lambda rng: rng.choice([True, False]),
    lambda rng: rng.choice([0, -1, 1, 3, 8, 9, 10**30, 2**63, -(2**63)]),
    lambda rng: rng.choice([0.0, 1.5, -0.0, 1e308, float("inf"), float("nan")]),
    lambda rng: rng.choice(["", " ", "\ud800", "a\0b", "../x", "=1+1", "é😀", "\u2028", "x" * 5000, "<script>"]),
    lambda rng: rng.choice([[], {}, [[]], [None], {"": {}}, [[0, 3]], ["Eva", 5], {"text": ["a"]}]),
    lambda rng: json.loads("[" * (deep := rng.choice([3, 50, 300])) + "]" * deep),
]


def mutated(data: bytes, rng: random.Random) -> bytes:
    """The bytes with one to three changes: a byte, a cut, a value put in or exchanged, a piece repeated."""
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(data) or 1)
        match rng.randrange(5):
            case 0:
                data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
            case 1:
                data = data[:at] + data[at + rng.randint(1, 20) :]
            case 2:
                data = data[:at] + rng.choice(VALUES) + data[at:]
            case 3:
                # One JSON value for another.
                marks = [i for i, c in enumerate(data) if c in b":,["] or [0]
                start = rng.choice(marks) + 1
                ends = [at for c in (b",", b"}", b"]", b"\n") if (at := data.find(c, start)) > 0]
                data = data[:start] + rng.choice(VALUES) + data[min(ends, default=start) :]
            case 4:
                other = rng.randrange(len(data) or 1)
                data = data[:at] + data[other : other + 30] + data[at:]
    return data


def fuzzed(name: str, rng: random.Random) -> bytes:
    """An input for a reader: half of them mutated bytes, half made anew as far as the format lets us."""
    good = GOOD[name]
    if rng.random() < 0.5:
        return mutated(good, rng)
    if name in _JSON_LINES:
        return b"".join(_dumped(_exchanged(json.loads(line), rng)) for line in good.splitlines())
    if name in _JSON:
        return _dumped(_exchanged(json.loads(good), rng))
    if name == "gzip":
        return gzip.compress(fuzzed("jsonl", rng), mtime=0)
    if name == "tmx":
        parts = good.split(b"<")
        return b"<".join(rng.choice(parts) if rng.random() < 0.1 else part for part in parts)
    return _lines(good, rng)


def _lines(good: bytes, rng: random.Random) -> bytes:
    """Lines of the format's own cells, mixed, with other separators here and there."""
    cells = [cell for line in good.splitlines() for cell in line.split(b"\t")]
    cells += [b"", b"0-0", "é😀\u200b".encode(), b"\xff", b"B-", b"9" * 30, b"-1 -5", b"T1", b"I-X", b"\r", b"\x1f"]
    rows = [
        rng.choice([b"\t", b"\t", b"\t", b" ", b"\t\t"]).join(rng.choice(cells) for _ in range(rng.randint(0, 5)))
        for _ in range(rng.randint(1, 8))
    ]
    return b"\n".join(rows) + rng.choice([b"", b"\n", b"\r\n"])


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode() + b"\n"


def _exchanged(value: Any, rng: random.Random, share: float = 0.08) -> Any:
    """The value with some of its parts left out, renamed, doubled or replaced by others."""
    if rng.random() < share:
        return rng.choice(_ODD)(rng)
    if isinstance(value, dict):
        kept = {
            (key if rng.random() > share / 4 else rng.choice(["", "text", "label", "\ud800"])): _exchanged(
                v, rng, share
            )
            for key, v in value.items()
            if rng.random() > share / 2
        }
        return {**kept, **({"extra": rng.choice(_ODD)(rng)} if rng.random() < share else {})}
    if isinstance(value, list):
        return [_exchanged(v, rng, share) for v in value for _ in range(1 + (rng.random() < share))]
    return value
