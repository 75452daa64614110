"""What the words of a dictionary are worth where the data brings no tokens: F1 of `default`, without a model.

    python tests/bench/without_tokens.py [--data ../shared/data] [--gold xsid-ja --gold xsid-zh]

The target side as it is annotated, token by token; without its tokens and the spaces that they put beside Chinese and
Japanese characters, in the words that a dictionary finds; and the same in single characters. A gold span need not begin
and end where a word of the dictionary does.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import regex

from spanferry.corpora.text.words import words
from spanferry.projectors.base import ProjectionInput
from spanferry.projectors.evaluation.gold import Gold, load_gold
from spanferry.projectors.evaluation.judge import inputs_to_fit, judge
from spanferry.projectors.methods.default import DefaultProjector

ROOT = Path(__file__).resolve().parents[2]
_BESIDE = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}ー。，、？！「」：]")


def raw(gold: Gold) -> Gold:
    """The gold without the tokens of its targets."""
    inputs, spans = [], []
    for item, own in zip(gold.inputs, gold.spans, strict=True):
        kept = _kept(item.target_text)
        place = [sum(kept[:k]) for k in range(len(kept) + 1)]
        inputs.append(_without_tokens(item))
        spans.append(tuple(replace(span, start=place[span.start], end=place[span.end]) for span in own))
    return replace(gold, inputs=tuple(inputs), spans=tuple(spans), more=tuple(_without_tokens(i) for i in gold.more))


def _kept(text: str) -> list[bool]:
    """Which characters stay."""
    return [
        not (c.isspace() and 0 < k < len(text) - 1 and (_BESIDE.match(text[k - 1]) or _BESIDE.match(text[k + 1])))
        for k, c in enumerate(text)
    ]


def _without_tokens(item: ProjectionInput) -> ProjectionInput:
    text = "".join(c for c, stays in zip(item.target_text, _kept(item.target_text), strict=True) if stays)
    return replace(item, target_text=text, target_words=())


def f1(gold: Gold, change: Callable[[ProjectionInput], ProjectionInput] = lambda item: item) -> float:
    """F1 of `default`, fitted on the texts."""
    inputs = [change(item) for item in gold.inputs]
    projector = DefaultProjector().fit([change(item) for item in inputs_to_fit(gold)])
    return judge(replace(gold, inputs=tuple(inputs)), projector.project(inputs)).exact.f1


def main() -> None:
    """Prints a line for each gold."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--gold", action="append")
    options = parser.parse_args()
    for name in options.gold or ["xsid-ja", "xsid-zh"]:
        gold = load_gold(name, options.data)
        bare = raw(gold)
        characters = f1(bare, lambda item: replace(item, target_words=words(item.target_text)))
        print(f"{name}  tokens {f1(gold):.3f}  dictionary {f1(bare):.3f}  characters {characters:.3f}", flush=True)


if __name__ == "__main__":
    main()
