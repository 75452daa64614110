"""Tagged tokens to an example with text and spans."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from spanferry.corpora.errors import RowError
from spanferry.corpora.readers.common.label_keys import TAG_KEYS, check_consumed
from spanferry.corpora.readers.common.rows import RowKeys
from spanferry.corpora.schema import TEXT, Example, Span
from spanferry.corpora.text.detokenise import detokenise, find_tokens
from spanferry.corpora.text.tags import ReadScheme, TokenSpan, plain_tag, read_tags, row_hint


def tagged_example(
    name: str,
    lang: str,
    tokens: Sequence[str],
    found: Sequence[TokenSpan],
    *,
    raw: object = None,
    label: str | int | float | None = None,
    split: str = "train",
) -> Example:
    """The example of one tokenised sentence, not yet validated.

    Args:
        name: Its id.
        lang: BCP-47 tag.
        tokens: Its tokens, none empty.
        found: The labelled stretches of tokens.
        raw: The raw text, used if it is a string with all tokens in it, in order; else the tokens are joined.
        label: Of the whole sentence.
        split: Dataset split.
    """
    ranges = find_tokens(tokens, raw) if isinstance(raw, str) else None
    text = raw if ranges is not None else None
    if not isinstance(text, str) or ranges is None:
        text, ranges = detokenise(tokens, lang)
    spans = tuple(Span(ranges[a][0], ranges[b - 1][1], kind, f"s{i}") for i, (a, b, kind) in enumerate(found))
    return Example(name, lang, {TEXT: text}, spans, (), label, {}, {TEXT: ranges}, split)


def tags_column(row: Mapping[str, Any], tokens_key: str, tags_key: str) -> str | None:
    """The key of the tags of the tokens: the one that was named, else the only one that holds as many, or None."""
    tokens = row.get(tokens_key)
    if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        return None
    if isinstance(row.get(tags_key), list):
        return tags_key
    found = [
        key
        for key in TAG_KEYS
        if isinstance(value := row.get(key), list)
        and len(value) == len(tokens) > 0
        and all(isinstance(tag, (str, int)) for tag in value)
    ]
    return found[0] if len(found) == 1 else None


def tagged_row(
    row: Mapping[str, Any],
    name: str,
    keys: RowKeys,
    *,
    tokens_key: str,
    tags_key: str,
    names: Sequence[str] = (),
    scheme: ReadScheme = "iob2",
    repair: bool = False,
    lang: str,
    split: str,
) -> Example:
    """The example of a row with tokens and their tags; what is left of the row goes to ``meta``.

    Args:
        row: The row.
        name: Its id.
        keys: Of its id, language, label, and of a text that holds the tokens.
        tokens_key: Of its tokens.
        tags_key: Of its tags, strings or numbers of ``names``.
        names: The tags by number.
        scheme: Of the tags.
        repair: See ``read_tags``.
        lang: The language of a row that does not say.
        split: Its split.

    Raises:
        RowError: ``bad_tags``, ``bad_class``, ``empty_text``, ``unread_labels``.
    """
    tokens, tags = row.get(tokens_key) or [], row.get(tags_key) or []
    if not isinstance(tokens, list) or not isinstance(tags, list) or not all(isinstance(t, str) for t in tokens):
        raise RowError("bad_tokens", f"{tokens_key!r} or {tags_key!r} is not a list of strings", where=name)
    if len(tokens) != len(tags):
        raise RowError("bad_tags", f"{len(tokens)} tokens and {len(tags)} tags", where=name)
    read = [_tag(tag, names, tags_key) for tag in tags]
    if scheme != "io":
        read = [plain_tag(tag) if tag else tag for tag in read]
    # An empty token marks nothing; published data has some.
    kept = [i for i, (token, tag) in enumerate(zip(tokens, read, strict=True)) if token or tag != "O"]
    if not kept or not all(tokens[i] for i in kept):
        raise RowError("empty_text", "no tokens, or a tagged one that is empty", where=name)
    found, problem = read_tags([read[i] for i in kept], scheme, repair=repair)
    if problem:
        raise RowError("bad_tags", problem.message, where=name, hint=row_hint(problem, "tags_key"))
    label, own = row.get(keys.label), row.get(keys.lang)
    used = {tokens_key, tags_key, keys.id, keys.lang, "meta"}
    plain = label is None or isinstance(label, (str, int))
    if plain and keys.label != tags_key:
        used.add(keys.label)
    raw = row.get(keys.text)
    example = tagged_example(
        name,
        own if isinstance(own, str) and own else lang,
        [tokens[i] for i in kept],
        found,
        raw=raw,
        label=str(label) if plain and label is not None else None,
        split=split,
    )
    if example.text == raw:
        used.add(keys.text)
    check_consumed(row, used, keys.ignore, name)
    nested = row.get("meta")
    meta = dict(nested) if isinstance(nested, Mapping) else {} if nested is None else {"meta": nested}
    return replace(example, meta=meta | {key: value for key, value in row.items() if key not in used})


def _tag(tag: Any, names: Sequence[str], column: str) -> str:
    if isinstance(tag, str):
        return tag
    if not isinstance(tag, int) or isinstance(tag, bool):
        raise RowError("bad_tags", f"{tag!r:.60} in {column!r} is not a tag")
    if not names:
        raise RowError(
            "bad_tags",
            f"the tags in {column!r} are numbers, and nothing names them",
            hint="--set read.options.tag_names=O,B-PER,I-PER names them, in order",
        )
    return class_name(tag, names, column)


def class_name(number: int, names: Sequence[str], column: str) -> str:
    """The name of the class ``number``.

    Raises:
        RowError: ``bad_class``: there is no such class.
    """
    if isinstance(number, bool) or not 0 <= number < len(names):
        raise RowError("bad_class", f"{number} in {column!r} is not a class", valid=f"0 to {len(names) - 1}")
    return names[number]
