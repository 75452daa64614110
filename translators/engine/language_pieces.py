"""Which pieces of a model's vocabulary a language uses: a list beside the weights, by which passes get cheaper.

``pieces.<language>.json`` in a model's directory holds them, the most frequent first. The bundled model's are
counted from its training text; for any other model ``spanferry models pieces NAME --language es FILE…`` counts them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import islice
from pathlib import Path

from spanferry.corpora.errors import InputError, ModelError
from spanferry.translators.families import open_family
from spanferry.translators.languages.tags import choose
from spanferry.translators.pieces import one_line

# The usual pieces of a language are those that make up this share of its text.
SHARE = 0.92
_LINES = 1000


def list_path(directory: Path, language: str) -> Path:
    """Where the list of a language is."""
    return directory / f"pieces.{language}.json"


def languages(directory: Path) -> list[str]:
    """Languages that have a list, sorted."""
    return sorted(path.name.split(".")[1] for path in directory.glob("pieces.*.json"))


def read_pieces(directory: Path, language: str) -> list[str] | None:
    """The usual pieces of the language, or None where there is no list for it.

    Raises:
        ModelError: The list can't be read.
    """
    try:
        own = choose(language, languages(directory), directory.name)
    except ModelError:
        return None
    path = list_path(directory, own)
    try:
        return list(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise ModelError(f"can't be read ({error})", where=str(path), hint="spanferry models pieces") from error


def lists_digest(directory: Path) -> str:
    """Eight hexadecimal digits of all lists; empty where there are none."""
    digest = sha256()
    for language in (known := languages(directory)):
        digest.update(f"{language}\n".encode() + list_path(directory, language).read_bytes())
    return digest.hexdigest()[:8] if known else ""


def usual(counts: Mapping[str, int], share: float = SHARE) -> list[str]:
    """The most frequent pieces that together make up ``share`` of the text; ties in alphabetical order."""
    wanted = share * sum(counts.values())
    found: list[str] = []
    for piece, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if wanted <= 0:
            break
        found.append(piece)
        wanted -= count
    return found


def count(rows: Iterable[Iterable[str]]) -> Counter[str]:
    """How often each piece comes."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts.update(row)
    return counts


def learn_pieces(directory: Path, language: str, files: Sequence[Path]) -> Path:
    """Writes the list of a language from texts in it, line by line.

    Args:
        directory: CTranslate2 directory of an encoder-decoder.
        language: BCP-47 tag of a language the model translates into.
        files: UTF-8 texts.

    Raises:
        ModelError: The model does not translate into that language, or its directory can't be written.
        InputError: A file is not UTF-8, or there is no text.
    """
    family, facts = open_family(directory)
    own = choose(language, family.languages()[1], facts["name"])
    encoder = family.pieces("target")
    counts: Counter[str] = Counter()
    for path in files:
        try:
            with path.open(encoding="utf-8") as lines:
                for batch in iter(lambda lines=lines: list(islice(lines, _LINES)), []):  # type: ignore[misc]
                    counts += count(encoder.encode([one_line(line) for line in batch]))
        except UnicodeDecodeError as error:
            raise InputError("is not UTF-8", where=str(path), hint="iconv -t utf-8") from error
    if not counts:
        raise InputError("holds no text", where=", ".join(map(str, files)), hint="a few thousand sentences are enough")
    return write_pieces(directory, own, counts)


def write_pieces(directory: Path, language: str, counts: Mapping[str, int]) -> Path:
    """Writes the list of a language; its file is never there half.

    Raises:
        ModelError: The directory can't be written.
    """
    path = list_path(directory, language)
    partial = path.with_suffix(".partial")
    try:
        text = json.dumps(usual(counts), ensure_ascii=False, indent=0)
        partial.write_text(text + "\n", encoding="utf-8", newline="\n")
        partial.replace(path)
    except OSError as error:
        raise ModelError(
            f"the list of pieces can't be written ({error})", where=str(path), hint="make its directory writable"
        ) from error
    return path
