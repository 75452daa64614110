"""``spanferry evaluate projection|alignment``: methods against parallel gold."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console

from spanferry.corpora.errors import ConfigError, InputError, SpanferryError
from spanferry.corpora.readers import Reader, open_reader
from spanferry.corpora.text.languages import check_language
from spanferry.flows.config import parse_value, put_value
from spanferry.flows.store import make_folder
from spanferry.projectors.evaluation.gold import GOLD_SETS, Gold, expand_names, load_gold, read_gold, read_more
from spanferry.projectors.evaluation.gold_links import (
    LINK_SETS,
    LinkGold,
    load_link_gold,
    read_link_files,
    read_link_gold,
)

app = typer.Typer(no_args_is_help=True, help="Measure methods on gold.")

GoldNames = Annotated[
    list[str] | None,
    typer.Option(
        "--gold",
        "-g",
        help=f"Shared gold; may be repeated: {', '.join(GOLD_SETS)}, or xsid for all of xsid.",
        show_default=False,
    ),
]
Input = Annotated[str | None, typer.Option("--input", "-i", help="Your own gold: the source side.", show_default=False)]
TargetInput = Annotated[
    str | None,
    typer.Option("--target-input", help="The same rows in the target language, annotated.", show_default=False),
]
Source = Annotated[str, typer.Option("--source", "-s", help="Source language (BCP-47) of --input.")]
Target = Annotated[str | None, typer.Option("--target", "-t", help="Target language of --input.", show_default=False)]
Format = Annotated[str | None, typer.Option(help="Reader of --input.", show_default="guessed")]
ReadOptions = Annotated[
    list[str] | None,
    typer.Option("--set", help="Option of the reader as key=value; may be repeated.", show_default=False),
]
PairBy = Annotated[str, typer.Option(help="How rows of --input and --target-input are paired: index or id.")]
Projectors = Annotated[
    list[str] | None,
    typer.Option(
        "--projector",
        "-p",
        help=r"Method, options in brackets: 'alignment\[rule=minmax]'; may be repeated, "
        "the first is compared with each.",
        show_default="default",
    ),
]
Translator = Annotated[str, typer.Option(help="Model for methods that need one, or none.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Words = Annotated[str, typer.Option(help="given: the gold's tokens; own: both sides are segmented anew.")]
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
    ),
]


@app.command("projection")
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
    from spanferry.flows.evaluate.output import print_evaluations, write_evaluations
    from spanferry.flows.evaluate.projection import Settings, compare, evaluate_projection, parse_method

    check_choice("--words", words, ("given", "own"))
    methods = [parse_method(text) for text in projector or ["default"]]
    settings = Settings(translator, device, words, samples=samples, seed=seed)
    with own_hints():
        golds = _golds(gold, input, target_input, source, target, format, set, pair_by, limit)
        golds = _with_more(golds, more_input, more_target_input)
    if out is not None:
        make_folder(out)
    errors = Console(stderr=True, highlight=False)
    found = evaluate_projection(methods, golds, settings, lambda text: errors.print(text, style="dim", markup=False))
    compared = compare([(e.judgement.gold.name, e.method, e.judgement.counts()) for e in found], settings)
    if out is not None:
        write_evaluations(found, compared, settings, out)
    print_evaluations(found, compared, settings, as_json=json, console=wide_console())


@app.command("alignment")
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
    from spanferry.flows.evaluate.links import evaluate_alignment
    from spanferry.flows.evaluate.output import print_links, write_links
    from spanferry.flows.evaluate.projection import Settings, compare, parse_method

    methods = [parse_method(text) for text in aligner or ["lexical"]]
    settings = Settings(translator, device, samples=samples, seed=seed)
    golds = [load_link_gold(name, limit=limit) for name in expand_names(gold or (), LINK_SETS)]
    if input:
        with own_hints():
            golds.append(_own_links(input, target_input, links, source, target, format, set, limit))
    if not golds:
        raise InputError(
            "no gold", hint="--gold align-multi-es, or --input FILE --target-input FILE --links FILE --target es"
        )
    if out is not None:
        make_folder(out)
    errors = Console(stderr=True, highlight=False)
    found = evaluate_alignment(methods, golds, settings, lambda text: errors.print(text, style="dim", markup=False))
    compared = compare([(e.gold.name, e.method, e.counts) for e in found], settings)
    if out is not None:
        write_links(found, compared, settings, out)
    print_links(found, compared, settings, as_json=json, console=wide_console())


def wide_console() -> Console:
    """Standard output; a file or a pipe has room for every column."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=180)


def check_choice(option: str, value: str, valid: tuple[str, ...]) -> None:
    """Raises the error for a value that an option does not take.

    Raises:
        InputError: ``value`` is not among ``valid``.
    """
    if value not in valid:
        raise InputError(f"{option} {value!r}", valid=valid, hint=f"{option} {valid[0]}")


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


def _with_more(golds: list[Gold], source: str | None, target: str | None) -> list[Gold]:
    """The golds with further texts to learn from.

    Raises:
        InputError: One side alone, or golds of several languages.
    """
    if not (source or target):
        return golds
    if not (source and target):
        raise InputError(
            "further texts need both sides", hint="--more-input SOURCE_FILE --more-target-input TARGET_FILE"
        )
    languages = {(gold.source_lang, gold.target_lang) for gold in golds}
    if len(languages) > 1:
        raise InputError(
            "further texts are of one pair of languages, the gold is of several",
            valid=sorted("-".join(pair) for pair in languages),
            hint="one command for each language: --gold europarl-es --more-input FILE --more-target-input FILE",
        )
    left, right = next(iter(languages))
    readers = open_reader(source, lang=left), open_reader(target, lang=right)
    more = tuple(read_more(*readers))
    from spanferry.corpora.signature import Signature

    added = "+".join(reader.signature for reader in readers)
    return [replace(gold, more=gold.more + more, signature=Signature(f"{gold.signature}+{added}")) for gold in golds]


def _golds(
    names: list[str] | None,
    input: str | None,
    target_input: str | None,
    source: str,
    target: str | None,
    format: str | None,
    options: list[str] | None,
    pair_by: str,
    limit: int | None,
) -> list[Gold]:
    golds = [load_gold(name, limit=limit) for name in expand_names(names or (), GOLD_SETS)]
    if input or target_input:
        if not (input and target_input and target):
            raise InputError(
                "your own gold needs both sides and the target language",
                hint="--input SOURCE_FILE --target-input TARGET_FILE --target es",
            )
        golds.append(_own_gold(input, target_input, source, target, format, options, pair_by, limit))
    if not golds:
        raise InputError("no gold", hint="--gold europarl-es, or --input FILE --target-input FILE --target es")
    return golds


def _own_gold(
    input: str,
    target_input: str,
    source: str,
    target: str,
    format: str | None,
    options: list[str] | None,
    pair_by: str,
    limit: int | None,
) -> Gold:
    check_choice("--pair-by", pair_by, ("index", "id"))
    by: Literal["index", "id"] = "id" if pair_by == "id" else "index"
    left, right = _readers(input, target_input, source, target, format, options)
    return read_gold(left, right, name=_name(input, target), pair_by=by, limit=limit)


def _own_links(
    input: str,
    target_input: str | None,
    links: Path | None,
    source: str,
    target: str | None,
    format: str | None,
    options: list[str] | None,
    limit: int | None,
) -> LinkGold:
    if target and not target_input and not links:
        return read_link_files(
            [Path(input)], name=_name(input, target), source_lang=source, target_lang=target, limit=limit
        )
    if not (target and target_input and links):
        raise InputError(
            "your own gold needs both sides, the links and the target language",
            hint="--input FILE --target-input FILE --links FILE --target es, or --input FILE.jsonl --target es",
        )
    left, right = _readers(input, target_input, source, target, format, options)
    return read_link_gold(left, right, links, name=_name(input, target), limit=limit)


def _readers(
    input: str, target_input: str, source: str, target: str, format: str | None, options: list[str] | None
) -> tuple[Reader, Reader]:
    chosen: dict[str, Any] = {}
    for setting in options or ():
        key, sign, value = setting.partition("=")
        if not sign:
            raise ConfigError(f"--set {setting!r} has no '='", hint="--set repair=true")
        put_value(chosen, key.strip().removeprefix("read.options."), parse_value(value.strip()))
    source, target = check_language(source), check_language(target)
    return (
        open_reader(input, lang=source, format=format, options=chosen),
        open_reader(target_input, lang=target, format=format, options=chosen),
    )


def _name(input: str, target: str) -> str:
    return f"{Path(input).name.split('.')[0]}-{target}"
