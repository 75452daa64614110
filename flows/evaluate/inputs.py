"""The gold of an evaluation: shared sets by name, and the user's own files."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from spanferry.corpora.errors import ConfigError, InputError
from spanferry.corpora.readers import Reader, open_reader
from spanferry.corpora.signature import Signature
from spanferry.corpora.text.languages import check_language
from spanferry.flows.config import parse_value, put_value
from spanferry.projectors.evaluation.gold import Gold, expand_names, load_gold, read_gold, read_more
from spanferry.projectors.evaluation.gold_links import LinkGold, load_link_gold, read_link_files, read_link_gold
from spanferry.projectors.evaluation.gold_names import GOLD_SETS, LINK_SETS


def check_choice(option: str, value: str, valid: tuple[str, ...]) -> None:
    """Raises the error for a value that an option does not take.

    Raises:
        InputError: ``value`` is not among ``valid``.
    """
    if value not in valid:
        raise InputError(f"{option} {value!r}", valid=valid, hint=f"{option} {valid[0]}")


def with_more(golds: list[Gold], source: str | None, target: str | None) -> list[Gold]:
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
    added = "+".join(reader.signature for reader in readers)
    return [replace(gold, more=gold.more + more, signature=Signature(f"{gold.signature}+{added}")) for gold in golds]


def golds_of(
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
    """The gold that the options of ``evaluate projection`` name.

    Raises:
        SpanferryError: There is none, something is missing, or it can't be read.
    """
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


def link_golds_of(
    names: list[str] | None,
    input: str | None,
    target_input: str | None,
    links: Path | None,
    source: str,
    target: str | None,
    format: str | None,
    options: list[str] | None,
    limit: int | None,
) -> list[LinkGold]:
    """The gold links that the options of ``evaluate alignment`` name.

    Raises:
        SpanferryError: There is none, something is missing, or it can't be read.
    """
    golds = [load_link_gold(name, limit=limit) for name in expand_names(names or (), LINK_SETS)]
    if input:
        golds.append(_own_links(input, target_input, links, source, target, format, options, limit))
    if not golds:
        raise InputError(
            "no gold", hint="--gold align-multi-es, or --input FILE --target-input FILE --links FILE --target es"
        )
    return golds


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
