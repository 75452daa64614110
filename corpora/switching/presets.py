"""Published ways to mix languages, as settings of a run.

Each value is a default that the run's own settings override. ``paper`` and ``differs`` stand in the card.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Preset:
    """Settings with their source.

    Attributes:
        about: What it makes, in a line.
        paper: Where it comes from.
        differs: What is done otherwise here.
        settings: Configuration keys to values.
    """

    about: str
    paper: str
    differs: str
    settings: Mapping[str, Any] = field(default_factory=dict)


PRESETS: Mapping[str, Preset] = {
    "entity-cs": Preset(
        "all linked entities of a sentence into one language, one row for each of at most five languages",
        "EntityCS (Whitehouse et al., Findings of EMNLP 2022)",
        "entities come from a table of your own (counterpart.table) and are linked by id or by unique name, not from"
        " Wikipedia links; the masking strategy is metadata, masking itself is left to training",
        {
            "unit": {"kind": "span"},
            "counterpart": {"kind": "entities"},
            "sampler": {"kind": "probability", "cross": 1.0},
            "policy": "row_all",
            "copies": 5,
            "max_words": 128,
            "unswitched": "reject",
            "meta": {"masking": "whole-entity"},
        },
    ),
    "cosda-ml": Preset(
        "every word with probability 0.9 into a random one of the languages whose dictionary has it",
        "CoSDA-ML (Qin et al., IJCAI 2020)",
        "a dictionary is drawn among those that hold the word, where the paper draws first and may find nothing; the"
        " report gives the achieved rate; entries are drawn by their probability where the file has one",
        {
            "unit": {"kind": "word"},
            "counterpart": {"kind": "dictionary"},
            "sampler": {"kind": "probability", "ratio": 1.0, "cross": 0.9},
            "policy": "unit",
        },
    ),
    "knowledge-barriers": Preset(
        "8-word chunks (or unit.kind=sentence, document), each in a random one of the languages, the matrix one too",
        "mixed-language fine-tuning against crosslingual knowledge barriers (Chua et al., 2024)",
        "chunks are those of the row's own translation, cut at the next place where all word orders agree, where the"
        " paper translates each chunk by itself",
        {
            "unit": {"kind": "chunk", "size": 8},
            "counterpart": {"kind": "alignment"},
            "sampler": {"kind": "probability", "cross": "uniform"},
            "policy": "unit",
        },
    ),
    "mixed-choice": Preset(
        "multiple choice with the first field in one language and every other field in another",
        "mixed multiple choice of the knowledge-barriers evaluation (Chua et al., 2024)",
        "options are in languages other than the question's and differ from each other as long as there are enough",
        {
            "unit": {"kind": "document"},
            "counterpart": {"kind": "alignment"},
            "sampler": {"kind": "probability", "cross": 1.0},
            "policy": "field",
        },
    ),
    "xcot": Preset(
        "random fragments of the instruction in other languages, the response as it is",
        "xCoT, cross-lingual in-context learning (Chai et al., 2024)",
        "fragments are aligned phrases of the translated instruction; fields are 'instruction' and 'question', nothing"
        " else is switched; no demonstrations are put in front",
        {
            "unit": {"kind": "phrase"},
            "counterpart": {"kind": "alignment"},
            "sampler": {"kind": "probability", "cross": 0.5},
            "policy": "unit",
            "fields": ["instruction", "question"],
        },
    ),
    "maltese": Preset(
        "words of Arabic origin in Arabic script, words of other classes translated or left as they are",
        "Maltese as a multilingual code-switched language (Micallef et al., EACL 2024)",
        "classes come from a word list of your own (counterpart.classes), not from a classifier; letters go over by one"
        " fixed table, where the paper ranks candidates with a language model",
        {
            "unit": {"kind": "word"},
            "counterpart": {"kind": "transliteration"},
            "sampler": {"kind": "probability", "cross": 1.0},
            "policy": "unit",
        },
    ),
}
