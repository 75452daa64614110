"""The dataset card: README.md with the hub's metadata, generated from what the run knows of itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml  # type: ignore[import-untyped]

from spanferry.corpora.report.markdown import code, escaped, fenced, share, table
from spanferry.corpora.report.tally import Tally

# Upper bound of rows, exclusive, and the hub's name for what lies below it.
_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
)


@dataclass(frozen=True, slots=True)
class Made:
    """How a dataset was made.

    Attributes:
        flow: ``translate-train`` or ``project``.
        source: What was read, as the user may be shown it: a file's name or a hub id, no path of this machine.
        signature: Every choice that made the rows.
        translator: The model; None where both sides were given.
        projector: The projection method with its options.
        filters: (name, scoring signature, threshold signature) of each, in order.
        version: Version of Spanferry.
        command: The command that makes it again, if it is known.
        promises: What is known of the share of wrong spans, as sentences in Markdown.
    """

    flow: str
    source: str
    signature: str
    translator: str | None
    projector: str
    filters: Sequence[tuple[str, str, str]] = ()
    version: str = ""
    command: str | None = None
    promises: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class CardOptions:
    """What the data can't tell.

    Attributes:
        name: The dataset's name.
        license: A licence identifier of the hub; None: the source's licence holds and has to be filled in.
        directory: How the folder is called in the lines that show how to load it.
        data_files: Configuration name to split to path pattern, for a folder of Parquet; empty for a saved folder.
        tags: Further tags.
    """

    name: str
    license: str | None = None
    directory: str = "OUT"
    data_files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    tags: Sequence[str] = ()


def card(tallies: Sequence[Tally], made: Made, options: CardOptions) -> str:
    """The card's text; the same input gives the same bytes.

    The sections are those of the hub's template that have an answer here.

    Args:
        tallies: One per target language in the dataset.
        made: How it was made.
        options: Name, licence, files.
    """
    facts = [tally.summary() for tally in tallies]
    head = yaml.safe_dump(metadata(facts, made, options), sort_keys=False, allow_unicode=True, width=120)
    parts = [
        f"---\n{head}---\n",
        f"# {escaped(options.name)}\n",
        _what(facts, made),
        "## Dataset Structure\n",
        _structure(facts, options),
        "## Dataset Creation\n",
        _creation(facts, made),
        "## Bias, Risks, and Limitations\n",
        _limits(facts, made),
        "## Licence\n",
        _licence(made, options),
    ]
    return "\n".join(parts)


def metadata(facts: Sequence[Mapping[str, Any]], made: Made, options: CardOptions) -> dict[str, Any]:
    """The card's YAML.

    Args:
        facts: ``Tally.summary()`` of each target language.
        made: How the dataset was made.
        options: Name, licence, files.
    """
    targets = [f["target_lang"] for f in facts]
    sources = sorted({lang for f in facts for lang in f["source_langs"]})
    task, detail = _task(facts)
    head: dict[str, Any] = {
        "pretty_name": options.name,
        "language": sorted({lang.replace("_", "-").split("-")[0] for lang in (*targets, *sources)}),
        "license": options.license or "unknown",
        "multilinguality": ["translation"],
        "task_categories": [task],
        **({"task_ids": [detail]} if detail else {}),
        "annotations_creators": ["machine-generated"],
        "language_creators": ["machine-generated" if made.translator else "found"],
        "size_categories": [size_category(sum(f["kept"] for f in facts))],
        "tags": [
            "annotation-projection",
            "spanferry",
            *(("machine-translation",) if made.translator else ()),
            *options.tags,
        ],
    }
    if options.data_files:
        head["configs"] = [
            {"config_name": name, "data_files": [{"split": split, "path": path} for split, path in files.items()]}
            for name, files in options.data_files.items()
        ]
    return head


def size_category(rows: int) -> str:
    """The hub's name for a number of rows."""
    return next((name for bound, name in _SIZES if rows < bound), "100M<n<1B")


def _task(facts: Sequence[Mapping[str, Any]]) -> tuple[str, str | None]:
    """The hub's task category and task id that fit the fields and labels."""
    fields = {name for f in facts for name in f["fields"]}
    if "question" in fields:
        return "question-answering", "extractive-qa"
    if {"premise", "hypothesis"} <= fields:
        return "text-classification", "natural-language-inference"
    if any(f["spans"] for f in facts):
        return "token-classification", None
    return ("text-classification", None) if any(f["classes"] for f in facts) else ("translation", None)


def _what(facts: Sequence[Mapping[str, Any]], made: Made) -> str:
    sources = " and ".join(sorted({lang for f in facts for lang in f["source_langs"]}))
    targets = ", ".join(f["target_lang"] for f in facts)
    how = (
        f"Annotated text in {sources}, machine-translated into {targets}, with every labelled span carried over."
        if made.translator
        else f"Annotated text in {sources}, with every labelled span carried over to given translations in {targets}."
    )
    return f"{escaped(how)} Nobody has checked the labels by hand unless a row says so.\n"


def _structure(facts: Sequence[Mapping[str, Any]], options: CardOptions) -> str:
    rows = [(f["target_lang"], split, c["rows"], c["kept"]) for f in facts for split, c in f["splits"].items()]
    parts = [table(("language", "split", "rows read", "rows kept"), rows)]
    labels = [
        (f["target_lang"], label, c["source"], c["projected"], c["kept"])
        for f in facts
        for label, c in f["labels"].items()
    ]
    if labels:
        heads = ("language", "label", "source spans", "projected", "in kept rows")
        parts += ["### Labels\n", table(heads, labels)]
    classes = [(f["target_lang"], name, count) for f in facts for name, count in f["classes"].items()]
    if classes:
        parts += ["### Classes\n", table(("language", "class", "rows kept"), classes)]
    parts += [
        "Span offsets are Unicode code points of the raw text, with an exclusive end: `text[start:end]` is what the"
        " label covers. Rejected rows are kept apart under the name `rejected`, each with all its reasons.\n",
        "### Loading\n",
        _loading(options),
    ]
    return "\n".join(parts)


def _loading(options: CardOptions) -> str:
    if options.data_files:
        names = [name for name in options.data_files if name != "default"]
        lines = ["from datasets import load_dataset", "", f'data = load_dataset("{options.directory}")']
        lines += [f'{_identifier(name)} = load_dataset("{options.directory}", "{name}")' for name in names]
    else:
        lines = ["from datasets import load_from_disk", "", f'data = load_from_disk("{options.directory}")']
    return "\n".join(["```python", *lines, "```", ""])


def _identifier(name: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in name)


def _creation(facts: Sequence[Mapping[str, Any]], made: Made) -> str:
    rows: list[tuple[str, str]] = [("flow", made.flow), ("source data", made.source)]
    rows.append(("translation", f"`{made.translator}`" if made.translator else "given"))
    rows += [("projection", f"`{made.projector}`"), ("Spanferry", made.version or "–")]
    parts = [table(("what", "how"), rows), "Signature:\n", fenced(made.signature, "text")]
    if made.command:
        parts += ["Made by:\n", fenced(made.command, "console")]
    methods = [(f["target_lang"], name, count) for f in facts for name, count in f["methods"].items()]
    if methods:
        parts += ["### Projection methods\n", table(("language", "method", "spans"), methods)]
    if made.filters:
        parts += ["### Filters\n", table(("filter", "scores", "thresholds"), [_code(row) for row in made.filters])]
    reasons = [(f["target_lang"], name, count) for f in facts for name, count in f["reasons"].items()]
    if reasons:
        parts += [
            "A row counts under each reason it was rejected for.\n",
            table(("language", "reason", "rows"), reasons),
        ]
    return "\n".join(parts)


def _code(row: tuple[str, str, str]) -> tuple[str, str, str]:
    return row[0], f"`{row[1]}`", f"`{row[2]}`"


def _limits(facts: Sequence[Mapping[str, Any]], made: Made) -> str:
    lines = []
    for f in facts:
        lines.append(
            f"- {escaped(f['target_lang'])}: {f['projected']:,} of {f['spans']:,} source spans"
            f" ({share(f['projected'], f['spans'])}) were placed; {f['kept']:,} of {f['rows']:,} rows"
            f" ({share(f['kept'], f['rows'])}) were kept."
        )
        if f.get("relations"):
            lines.append(
                f"- {escaped(f['target_lang'])}: {f['relations_kept']:,} of {f['relations']:,} relations"
                f" ({share(f['relations_kept'], f['relations'])}) have both spans in the target."
            )
    lines += [f"- {' '.join(escaped(promise).split())}" for promise in made.promises]
    if made.translator:
        lines.append(
            "- The text is machine translation: it has the model's errors, and its style is plainer than people's."
        )
    lines += [
        "- Labels were placed automatically. Errors are most frequent at the edges of long spans and where words were"
        " reordered or dropped; each span has a score and its method.",
        "- Rejected rows are not a random sample: what is hard to translate or project is rarer among the kept rows.",
        "- Names, addresses and numbers are those of the source text: nothing was anonymized.",
    ]
    return "\n".join([*lines, ""])


def _licence(made: Made, options: CardOptions) -> str:
    if options.license:
        return f"{code(options.license)}, as stated by whoever made this dataset.\n"
    also = " The licence of the translation model may add conditions." if made.translator else ""
    return f"Not stated. A translation is a work derived from its source: the licence of the source data holds.{also}\n"
