"""A small run of the bundled model, made once for the tests of stored scores."""

import json
from pathlib import Path

from spanferry.flows.config import RunConfig

CITIES = ("Paris", "Berlin", "Madrid", "Oslo", "Lisbon", "Vienna")


def rows() -> str:
    """Sentences with two spans each; the last one is the first again."""
    lines = []
    for n in range(13):
        city, person = CITIES[n % 6], ("Anna", "Peter")[n % 12 // 6]
        text = f"{person} bought {n % 12 + 2} books in {city} yesterday."
        at = text.index(city)
        spans = [
            {"start": 0, "end": len(person), "label": "PER"},
            {"start": at, "end": at + len(city), "label": "LOC"},
        ]
        lines.append(json.dumps({"id": f"r{n}", "text": text, "spans": spans}))
    return "\n".join(lines) + "\n"


def config(data: Path, out: Path, **more: object) -> RunConfig:
    """English to Spanish, in shards of five rows."""
    read = {"path": str(data)}
    return RunConfig.model_validate(
        {"flow": "translate-train", "read": read, "target": ["es"], "out": out, "shard_rows": 5, **more}
    )
