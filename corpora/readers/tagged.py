"""Tagged tokens to an example with text and spans."""

from collections.abc import Sequence

from spanferry.corpora.schema import TEXT, Example, Span
from spanferry.corpora.text.detokenise import detokenise, find_tokens
from spanferry.corpora.text.tags import TokenSpan


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
