"""Subword pieces of a text, and which code points of the raw text each piece covers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from spanferry.corpora.errors import ModelError
from spanferry.corpora.schema import Range

WORD_START = "▁"
# Control characters, null bytes among them, are none that a model has seen; they part words as white space does.
_CONTROLS = dict.fromkeys((*range(32), *range(127, 160)), " ")


# Of sentencepiece models.
_ENDINGS = (".model", ".spm")


class PieceModel(Protocol):
    """Text to pieces and back. Texts are single lines: see :func:`one_line`."""

    def encode(self, texts: Sequence[str]) -> list[list[str]]:
        """Pieces of each text, without specials."""
        ...

    def encode_ranges(self, text: str) -> tuple[list[str], list[Range]]:
        """Pieces of one text and the half-open code-point range of ``text`` each came from."""
        ...

    def decode(self, rows: Sequence[Sequence[str]]) -> list[str]:
        """The text of each row of pieces."""
        ...


def one_line(text: str) -> str:
    """``text`` with every run of white space (line breaks and controls too) as one space and none at the ends."""
    return " ".join((text if text.isprintable() else text.translate(_CONTROLS)).split())


def one_line_offsets(text: str) -> tuple[str, list[int]]:
    """:func:`one_line`, and for each of its code points the index in ``text`` it stands for."""
    offsets: list[int] = []
    gap = None
    for i, char in enumerate(text):
        if char.isspace() or ord(char) in _CONTROLS:
            gap = i if gap is None else gap
            continue
        if gap is not None and offsets:
            offsets.append(gap)
        gap = None
        offsets.append(i)
    return one_line(text), offsets


class SentencePieces:
    """A sentencepiece model file.

    Args:
        path: The ``.spm`` or ``.model`` file.

    Raises:
        ModelError: The file is missing or is not a sentencepiece model.
    """

    def __init__(self, path: Path) -> None:
        from sentencepiece import SentencePieceProcessor

        try:
            # Read here: sentencepiece's own reader prints to stderr when it fails.
            self._model: Any = SentencePieceProcessor(model_proto=path.read_bytes())
        except (OSError, RuntimeError) as error:
            raise ModelError(
                f"no sentencepiece model can be read ({error})", where=str(path), hint="spanferry models"
            ) from error

    def encode(self, texts: Sequence[str]) -> list[list[str]]:
        return self._model.encode(list(texts), out_type=str) if texts else []

    def encode_ranges(self, text: str) -> tuple[list[str], list[Range]]:
        found = self._model.encode(text, return_type="offset_mapping")
        return list(found["pieces"]), visible_ranges(text, found["pieces"], found["offsets"])

    def decode(self, rows: Sequence[Sequence[str]]) -> list[str]:
        return self._model.decode([list(row) for row in rows]) if rows else []


def visible_ranges(text: str, pieces: Sequence[str], ranges: Sequence[Range]) -> list[Range]:
    """Make the ranges of a tokeniser usable as places in ``text``.

    Normalisation may turn one character into several pieces (``½`` into ``1``, ``⁄``, ``2``). Tokenisers give such a
    character to one of the pieces and nothing to the others; here each of them gets the whole character. The white
    space before a word is taken off the word's first piece; a piece that is nothing but white space keeps it.

    Args:
        text: The raw text.
        pieces: Its pieces, (n_pieces,).
        ranges: Where the tokeniser says they came from, (n_pieces,).

    Returns:
        One range for each piece, within the text; neither starts nor ends ever descend.
    """
    found: list[Range] = []
    following = len(text)
    # Backwards: a piece that was given nothing belongs to the character that the next piece ends in.
    for piece, (start, end) in zip(reversed(pieces), reversed(ranges), strict=True):
        if piece.strip(WORD_START):
            while start < end and text[start].isspace():
                start += 1
        if start == end:
            end = following
        following = end
        found.append((start, end))
    found.reverse()
    return found


class TokenizerJson:
    """A ``tokenizer.json`` of the tokenizers library, for models that come without a sentencepiece file.

    Special tokens are taken out of it, so that a text that spells one is cut into plain pieces; an unknown stretch is
    a piece as the text has it, as sentencepiece gives it.

    Args:
        path: The file.

    Raises:
        ModelError: The file is missing or is not of this kind.
    """

    def __init__(self, path: Path) -> None:
        from tokenizers import Tokenizer

        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            content["added_tokens"] = []
            content["post_processor"] = None
            self._model: Any = Tokenizer.from_str(json.dumps(content))
            unknown = content["model"].get("unk_id")
            self._unknown = content["model"]["unk_token"] if unknown is None else content["model"]["vocab"][unknown][0]
        except Exception as error:  # the library raises plain Exception
            raise ModelError(
                f"no tokenizer can be read ({error})", where=str(path), hint="download the model again"
            ) from error

    def encode(self, texts: Sequence[str]) -> list[list[str]]:
        rows = self._model.encode_batch(list(texts), add_special_tokens=False)
        return [self._pieces(text, row) for text, row in zip(texts, rows, strict=True)]

    def encode_ranges(self, text: str) -> tuple[list[str], list[Range]]:
        found = self._model.encode(text, add_special_tokens=False)
        pieces = self._pieces(text, found)
        return pieces, visible_ranges(text, pieces, found.offsets)

    def _pieces(self, text: str, found: Any) -> list[str]:
        return [
            (text[start:end] or token) if token == self._unknown else token
            for token, (start, end) in zip(found.tokens, found.offsets, strict=True)
        ]

    def decode(self, rows: Sequence[Sequence[str]]) -> list[str]:
        return [self._model.decoder.decode(list(row)) for row in rows]


def open_pieces(place: Path, names: Sequence[str]) -> PieceModel:
    """The tokeniser in a folder, or the one that is this file; a ``.json`` one is a ``tokenizer.json``.

    Args:
        place: Folder or file.
        names: Files that are looked for in the folder, in this order. Then any file with the ending of a sentencepiece
            model is taken, if there is just one: NLLB's is ``flores200_sacrebleu_tokenizer_spm.model`` in some
            conversions and ``sentencepiece.bpe.model`` in others.

    Raises:
        ModelError: None of them is there.
    """
    others = [] if place.is_file() else sorted(path for kind in _ENDINGS for path in place.glob(f"*{kind}"))
    named = [place / name for name in names if name != "vocab.json" and (place / name).is_file()]
    for path in [place] if place.is_file() else named or others[: len(others) == 1]:
        return TokenizerJson(path) if path.suffix == ".json" else SentencePieces(path)
    raise ModelError(
        f"{len(others)} sentencepiece models, and nothing says which is the tokeniser" if others else "no tokeniser",
        where=str(place),
        valid=[path.name for path in others] or names,
        hint="--set translator.options.tokenizer=PLACE: a file, a folder, or the hub id of the model's origin",
    )
