"""``spanferry evaluate projection|alignment``: methods against parallel gold."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from spanferry.corpora.errors import SpanferryError
from spanferry.flows.cli.completion.offers import components, methods, reader_setting
from spanferry.flows.store import make_folder
from spanferry.projectors.evaluation.gold_names import GOLD_SETS, LINK_SETS

GoldNames = Annotated[
    list[str] | None,
    typer.Option(
        "--gold",
        "-g",
        help=f"Shared gold; may be repeated: {', '.join(GOLD_SETS)}, or xsid for all of xsid.",
        show_default=False,
        autocompletion=components(more=GOLD_SETS),
    ),
]
Input = Annotated[str | None, typer.Option("--input", "-i", help="Your own gold: the source side.", show_default=False)]
TargetInput = Annotated[
    str | None,
    typer.Option("--target-input", help="The same rows in the target language, annotated.", show_default=False),
]
Source = Annotated[str, typer.Option("--source", "-s", help="Source language (BCP-47) of --input.")]
Target = Annotated[str | None, typer.Option("--target", "-t", help="Target language of --input.", show_default=False)]
Format = Annotated[
    str | None,
    typer.Option(help="Reader of --input.", show_default="guessed", autocompletion=components("readers")),
]
ReadOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="Option of the reader as key=value; may be repeated.",
        show_default=False,
        autocompletion=reader_setting,
    ),
]
PairBy = Annotated[
    str,
    typer.Option(
        help="How rows of --input and --target-input are paired: index or id.",
        autocompletion=components(more=("index", "id")),
    ),
]
Projectors = Annotated[
    list[str] | None,
    typer.Option(
        "--projector",
        "-p",
        help=r"Method, options in brackets: 'alignment\[rule=minmax]'; may be repeated, "
        "the first is compared with each.",
        show_default="default",
        autocompletion=methods("projectors"),
    ),
]
Translator = Annotated[
    str,
    typer.Option(
        help="Model for methods that need one, or none.",
        autocompletion=components("translators", more=("bundled", "none")),
    ),
]
Device = Annotated[
    str, typer.Option(help="auto, cpu or cuda.", autocompletion=components(more=("auto", "cpu", "cuda")))
]
Words = Annotated[
    str,
    typer.Option(
        help="given: the gold's tokens; own: both sides are segmented anew.",
        autocompletion=components(more=("given", "own")),
    ),
]
Out = Annotated[
    Path | None, typer.Option("--out", "-o", help="Folder for CSV tables and SVG plots.", show_default=False)
]
MoreInput = Annotated[
    str | None,
    typer.Option("--more-input", help="Further texts to learn from: the source side.", show_default=False),
]
MoreTarget = Annotated[
    str | None,
    typer.Option("--more-target-input", help="The same rows in the target language.", show_default=False),
]
Limit = Annotated[int | None, typer.Option(help="Most rows to read of each gold set.", show_default=False, min=1)]
Samples = Annotated[int, typer.Option(help="Resampled sets of the bootstrap.", min=1)]
Seed = Annotated[int, typer.Option(help="Seed of the bootstrap.")]
Json = Annotated[bool, typer.Option("--json", help="One line of JSON instead of the table.")]


LinkNames = Annotated[
    list[str] | None,
    typer.Option(
        "--gold",
        "-g",
        help=f"Shared gold; may be repeated: {', '.join(LINK_SETS)}, or align-multi for all.",
        show_default=False,
        autocompletion=components(more=LINK_SETS),
    ),
]
LinkInput = Annotated[
    str | None,
    typer.Option(
        "--input",
        "-i",
        help="Your own gold: the source side, or JSON Lines with src_words, tgt_words, alignment.",
        show_default=False,
    ),
]
TargetTexts = Annotated[
    str | None, typer.Option("--target-input", help="The same rows in the target language.", show_default=False)
]
Links = Annotated[
    Path | None,
    typer.Option(help="Links in Pharaoh format, one line per row: 0-0 is sure, 0p0 possible.", show_default=False),
]
Aligners = Annotated[
    list[str] | None,
    typer.Option(
        "--aligner",
        "-a",
        help=r"Aligner, options in brackets: 'eflomal\[runs=2]'; may be repeated, the first is compared with each.",
        show_default="lexical",
        autocompletion=methods("aligners"),
    ),
]


def projection(
    gold: GoldNames = None,
    input: Input = None,
    target_input: TargetInput = None,
    source: Source = "en",
    target: Target = None,
    format: Format = None,
    set: ReadOptions = None,
    pair_by: PairBy = "index",
    projector: Projectors = None,
    translator: Translator = "bundled",
    device: Device = "auto",
    words: Words = "given",
    more_input: MoreInput = None,
    more_target_input: MoreTarget = None,
    out: Out = None,
    limit: Limit = None,
    samples: Samples = 1000,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Carry the gold spans of the source side over and compare them with those of the target side.

    Precision, recall and F1 of (start, end, label) and of characters, coverage, calibration, a paired bootstrap.
    """
    from spanferry.flows.evaluate.inputs import check_choice, golds_of, with_more
    from spanferry.flows.evaluate.output import print_evaluations, write_evaluations
    from spanferry.flows.evaluate.projection import Settings, compare, evaluate_projection, parse_method

    check_choice("--words", words, ("given", "own"))
    named = [parse_method(text) for text in projector or ["default"]]
    settings = Settings(translator, device, words, samples=samples, seed=seed)
    with own_hints():
        golds = golds_of(gold, input, target_input, source, target, format, set, pair_by, limit)
        golds = with_more(golds, more_input, more_target_input)
    if out is not None:
        make_folder(out)
    errors = Console(stderr=True, highlight=False)
    found = evaluate_projection(named, golds, settings, lambda text: errors.print(text, style="dim", markup=False))
    compared = compare([(e.judgement.gold.name, e.method, e.judgement.counts()) for e in found], settings)
    if out is not None:
        write_evaluations(found, compared, settings, out)
    print_evaluations(found, compared, settings, as_json=json, console=wide_console())


def alignment(
    gold: LinkNames = None,
    input: LinkInput = None,
    target_input: TargetTexts = None,
    links: Links = None,
    source: Source = "en",
    target: Target = None,
    format: Format = None,
    set: ReadOptions = None,
    aligner: Aligners = None,
    translator: Translator = "bundled",
    device: Device = "auto",
    out: Out = None,
    limit: Limit = None,
    samples: Samples = 1000,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Align the words of gold pairs and compare the links: precision, recall, F1, a paired bootstrap.

    Reports the alignment error rate where the gold has sure and possible links.
    """
    from spanferry.flows.evaluate.inputs import link_golds_of
    from spanferry.flows.evaluate.links import evaluate_alignment
    from spanferry.flows.evaluate.output import print_links, write_links
    from spanferry.flows.evaluate.projection import Settings, compare, parse_method

    named = [parse_method(text) for text in aligner or ["lexical"]]
    settings = Settings(translator, device, samples=samples, seed=seed)
    with own_hints():
        golds = link_golds_of(gold, input, target_input, links, source, target, format, set, limit)
    if out is not None:
        make_folder(out)
    errors = Console(stderr=True, highlight=False)
    found = evaluate_alignment(named, golds, settings, lambda text: errors.print(text, style="dim", markup=False))
    compared = compare([(e.gold.name, e.method, e.counts) for e in found], settings)
    if out is not None:
        write_links(found, compared, settings, out)
    print_links(found, compared, settings, as_json=json, console=wide_console())


def wide_console() -> Console:
    """Standard output; a file or a pipe has room for every column."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=180)


@contextmanager
def own_hints() -> Iterator[None]:
    """Errors of readers with the options that these commands have instead of those of a run."""
    try:
        yield
    except SpanferryError as error:
        error.hint = error.hint and _as_here(error.hint)
        raise


def _as_here(hint: str) -> str:
    """The hint with ``--format NAME`` and ``--pair-by id`` for what a run sets.

    >>> _as_here("--set read.format=NAME picks another reader")
    '--format NAME picks another reader'
    """
    hint = hint.replace("(evaluate projection: --pair-by index) ", "").replace(
        "(evaluate projection: --pair-by id) ", ""
    )
    return hint.replace("--set read.format=", "--format ").replace("--set read.pair_by=", "--pair-by ")
