"""The names of the shared gold, and where its files are: light, for completion and help."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class GoldSet:
    """Where a shared set of gold lies and how it is read; ``{}`` is the language."""

    folder: str
    languages: tuple[str, ...]
    source: str
    target: str
    options: Mapping[str, Any]
    format: str
    pair_by: Literal["index", "id"] = "index"
    more: tuple[str, str] | None = None


# Where the shared gold lies; {} is the language.
SETS: Mapping[str, GoldSet] = {
    "europarl": GoldSet(
        "europarl-ner",
        ("es", "de"),
        "en-europarl.test.conll02",
        "{}-europarl.test.conll02",
        {"repair": True},
        "conll",
    ),
    "xsid": GoldSet(
        "xsid",
        ("da", "de", "id", "it", "ja", "nl", "zh"),
        "en.test.conll",
        "{}.test.conll",
        {"repair": True},
        "conll",
        "id",
        ("en.valid.conll", "{}.valid.conll"),
    ),
    "xquad": GoldSet("xquad", ("ar", "de", "es", "zh"), "xquad.en.json", "xquad.{}.json", {}, "squad", "id"),
    "abstrct": GoldSet(
        "abstrct",
        ("es",),
        "en_neoplasm_test.tsv",
        "{}_neoplasm_test_manual.tsv",
        {},
        "conll",
        more=("en_neoplasm_dev.tsv", "{}_neoplasm_dev_manual.tsv"),
    ),
}
GOLD_SETS: tuple[str, ...] = tuple(f"{name}-{lang}" for name, its in SETS.items() for lang in its.languages)

# Languages of which no gold is used to fit anything: they show how fitted numbers carry over.
UNSEEN = ("ar", "da", "id", "ja", "nl")

# Gold word alignments: language to folder.
LINK_FOLDERS: Mapping[str, str] = {
    "cs": "en-cz", "es": "en-es", "fr": "en-fr", "ja": "en-ja", "ro": "en-ro", "sv": "en-sv"
}  # fmt: skip
LINK_SETS: tuple[str, ...] = tuple(f"align-multi-{lang}" for lang in LINK_FOLDERS)
