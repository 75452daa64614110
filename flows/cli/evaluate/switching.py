"""``spanferry evaluate switching``: how much, how often and how regularly a corpus switches, beside another one."""

import json as json_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from spanferry.corpora.errors import InputError
from spanferry.corpora.metrics.switching import total_variation
from spanferry.corpora.metrics.switching_corpus import TOP, SwitchingStatistics
from spanferry.corpora.signature import Signature
from spanferry.corpora.switching.tagged import corpus_signature, read_language_tags
from spanferry.flows.store import make_folder, write_bytes
from spanferry.flows.switch.report import histograms_json, plot_files
from spanferry.projectors.evaluation.gold import data_folder

SHARED = ("cs-hinglish-top", "cs-ud-arabizi")

Corpora = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        "-i",
        help=f"OUT/code-switch, .conllu, .tsv, .jsonl, a folder, or shared gold: {', '.join(SHARED)}; may be repeated,"
        " the first is compared with each.",
        show_default=False,
    ),
]
Bins = Annotated[int, typer.Option(help="Bins of the histograms.", min=2, max=20)]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Folder for numbers and plots.", show_default=False)]
Limit = Annotated[int | None, typer.Option(help="Most utterances to read of each corpus.", show_default=False, min=1)]
Json = Annotated[bool, typer.Option("--json", help="One line of JSON instead of the tables.")]


def switching(input: Corpora = None, bins: Bins = 10, out: Out = None, limit: Limit = None, json: Json = False) -> None:
    """Measure code-switching: CMI, M-index, I-index, SPF, entropies, burstiness, memory, and distributions.

    Several corpora are compared: the total-variation distance of their histograms of CMI and of switch-point fraction.
    """
    if not input:
        raise InputError("no corpus", valid=f"a file, a folder, or {', '.join(SHARED)}", hint="--input OUT/code-switch")
    found = {name: _measured(name, bins, limit) for name in input}
    summaries = {name: _summary(name, statistics) for name, statistics in found.items()}
    first, *others = found
    distances = [
        {"of": first, "to": other, **{m: _distance(found[first], found[other], m) for m in TOP}} for other in others
    ]
    if out is not None:
        for name, statistics in found.items():
            folder = out / (Path(name).name if len(found) > 1 else "")
            for path, text in {**plot_files(statistics), "histograms.json": histograms_json(statistics)}.items():
                make_folder((folder / path).parent)
                write_bytes(folder / path, text.encode())
        value = {"corpora": summaries, "distances": distances}
        write_bytes(out / "switching.json", (json_module.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())
    if json:
        print(json_module.dumps({"corpora": summaries, "distances": distances}, ensure_ascii=False))
    else:
        _print(summaries, distances)


def _place(name: str) -> Path:
    place = Path(name)
    if name in SHARED and not place.exists():
        place = data_folder() / name
    if not place.exists():
        raise InputError(
            f"no corpus {name!r}", valid=f"a file, a folder, or {', '.join(SHARED)}", hint="SPANFERRY_DATA=FOLDER"
        )
    return place


def _measured(name: str, bins: int, limit: int | None) -> SwitchingStatistics:
    statistics = SwitchingStatistics(bins)
    for number, tags in enumerate(read_language_tags(_place(name))):
        if limit is not None and number >= limit:
            break
        statistics.add(tags)
    if not statistics.utterances:
        raise InputError("the corpus has no utterances", where=name, hint="--input another one")
    return statistics


def _summary(name: str, statistics: SwitchingStatistics) -> dict[str, Any]:
    groups = {
        languages: {**{k: group.summary()[k] for k in ("utterances", "cmi", "spf")}, "histograms": group.histograms}
        for languages, group in sorted(statistics.groups.items())
    }
    return {
        **statistics.summary(),
        "histograms": statistics.histograms,
        "languages": groups,
        "signature": Signature.of(f"{Path(name).name}@{corpus_signature(_place(name))}", ("bins", statistics.bins)),
    }


def _distance(left: SwitchingStatistics, right: SwitchingStatistics, measure: str) -> float | None:
    a, b = left.histograms[measure], right.histograms[measure]
    return total_variation(a, b) if sum(a) and sum(b) else None


def _print(summaries: dict[str, dict[str, Any]], distances: list[dict[str, Any]]) -> None:
    console = Console(highlight=False)
    table = Table(title="switching", title_justify="left")
    table.add_column("metric")
    for name in summaries:
        table.add_column(Path(name).name, justify="right")
    leave = {"tokens", "histograms", "languages", "signature"}
    for metric in (m for m in next(iter(summaries.values())) if m not in leave):
        table.add_row(metric, *(_number(summary[metric]) for summary in summaries.values()))
    console.print(table)
    for name, summary in summaries.items():
        groups = Table(title=f"{Path(name).name}: languages of an utterance", title_justify="left")
        for head in ("languages", "utterances", "CMI", "SPF"):
            groups.add_column(head, justify="left" if head == "languages" else "right")
        for languages, group in sorted(summary["languages"].items(), key=lambda item: -item[1]["utterances"])[:12]:
            groups.add_row(languages, f"{group['utterances']:,}", _number(group["cmi"]), _number(group["spf"]))
        console.print(groups)
    for row in distances:
        numbers = ", ".join(f"{m.upper()} {_number(row[m])}" for m in TOP)
        console.print(f"total-variation distance {Path(row['of']).name} – {Path(row['to']).name}: {numbers}")


def _number(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
