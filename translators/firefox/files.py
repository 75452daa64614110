"""The files of Firefox's models: which directions a folder holds, and whether the files are what was downloaded."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spanferry.corpora.errors import ModelError

PIVOT = "en"
CHECKSUMS = "checksums.json"
# ``model.enpt.intgemm.alphas.bin``, ``model.enzh_hant.intgemm8.bin``: the codes stand next to each other.
_MODEL = re.compile(r"model\.(?P<codes>[a-z]{4,6}(?:_[a-z]+)*)\.intgemm.*\.bin")
_FOLDER = re.compile(r"(?P<source>[A-Za-z]{2,3}(?:_[A-Za-z]+)?)-(?P<target>[A-Za-z]{2,3}(?:[-_][A-Za-z]+)?)")


@dataclass(frozen=True, slots=True)
class Leg:
    """One model: a direction and its files.

    Attributes:
        source: BCP-47 language it reads.
        target: BCP-47 language it writes.
        model: Weights.
        source_vocabulary: Sentencepiece model of the source; often the same file as the target's.
        target_vocabulary: Likewise of the target.
        shortlist: Lexical shortlist, or None.
    """

    source: str
    target: str
    model: Path
    source_vocabulary: Path
    target_vocabulary: Path
    shortlist: Path | None

    @property
    def paths(self) -> tuple[Path, ...]:
        """Its files, each once, in a fixed order."""
        found = (self.model, self.source_vocabulary, self.target_vocabulary, self.shortlist)
        return tuple(dict.fromkeys(path for path in found if path is not None))

    @property
    def bytes(self) -> int:
        """Size of its files."""
        return sum(path.stat().st_size for path in self.paths)

    def digest(self) -> str:
        """Hash of the files' contents, 8 hex digits."""
        whole = hashlib.sha256()
        for path in self.paths:
            whole.update(bytes.fromhex(sha256(path)))
        return whole.hexdigest()[:8]


def sha256(path: Path) -> str:
    """SHA-256 of a file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def legs_in(folder: Path) -> list[Leg]:
    """The models in a folder: each in a folder of its own (``en-pt``, as the cache has them) or directly in it.

    Folders without a model are passed over, and so is a model without its vocabulary.
    """
    places = [folder, *sorted(path for path in folder.glob("*") if path.is_dir() and not path.name.startswith("."))]
    return [leg for place in places for leg in _legs_at(place)]


def _legs_at(folder: Path) -> Iterator[Leg]:
    for model in sorted(folder.glob("model.*.bin")):
        match = _MODEL.fullmatch(model.name)
        if match is None:
            continue
        codes = match["codes"]
        source, target = _direction(folder.name, codes)
        shared = folder / f"vocab.{codes}.spm"
        read, written = folder / f"srcvocab.{codes}.spm", folder / f"trgvocab.{codes}.spm"
        if shared.is_file():
            read = written = shared
        shortlist = next(iter(sorted(folder.glob(f"lex.*.{codes}.s2t.bin"))), None)
        if read.is_file() and written.is_file():
            yield Leg(source, target, model, read, written, shortlist)


def _direction(folder: str, codes: str) -> tuple[str, str]:
    """BCP-47 tags of a model, from its folder's name where that fits, else from the codes in its file's name."""
    named = _FOLDER.fullmatch(folder)
    if named and (named["source"] + named["target"]).lower().replace("-", "_") == codes:
        return bcp47(named["source"]), bcp47(named["target"])
    return bcp47(codes[:2]), bcp47(codes[2:])


def bcp47(code: str) -> str:
    """Mozilla's code as a BCP-47 tag: ``zh_hant`` is ``zh-Hant``, ``zh`` is Simplified."""
    language, *rest = code.replace("_", "-").split("-")
    return "-".join([language.lower(), *(part.title() if len(part) == 4 else part.upper() for part in rest)])


def firefox_code(tag: str) -> str:
    """The code by which Mozilla's models know a BCP-47 tag: regions count for nothing, ``zh-Hans`` is ``zh``."""
    language, *rest = tag.split("-")
    script = next((part.title() for part in rest if len(part) == 4), "")
    code = "no" if language == "nb" else language.lower()
    return f"{code}-{script}" if script and (code, script) not in (("zh", "Hans"), ("sr", "Cyrl")) else code


def write_checksums(folder: Path) -> None:
    """Writes ``checksums.json``: file name to SHA-256 of everything in the folder."""
    found = {path.name: sha256(path) for path in sorted(folder.iterdir()) if path.is_file() and path.name != CHECKSUMS}
    (folder / CHECKSUMS).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def check_files(leg: Leg) -> None:
    """Compares the files of a model with the checksums that were written beside them, where there are any.

    Raises:
        ModelError: A file is not what was downloaded.
    """
    stated = leg.model.parent / CHECKSUMS
    if not stated.is_file():
        return
    try:
        wanted = dict(json.loads(stated.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ModelError("not a list of checksums", where=str(stated), hint=_again(leg)) from error
    for path in leg.paths:
        if wanted.get(path.name) != sha256(path):
            raise ModelError("the file is damaged: its checksum differs", where=str(path), hint=_again(leg))


def _again(leg: Leg) -> str:
    pair = f"firefox -s {leg.source} -t {leg.target}"
    return f"spanferry models remove {pair}, then spanferry models add {pair}"


def route(legs: list[Leg], source: str, target: str) -> list[Leg] | None:
    """The models that lead from ``source`` to ``target``: one, or two by way of English; None where there is no way."""
    known = {(firefox_code(leg.source), firefox_code(leg.target)): leg for leg in legs}
    start, end = firefox_code(source), firefox_code(target)
    if (start, end) in known:
        return [known[start, end]]
    if (start, PIVOT) in known and (PIVOT, end) in known:
        return [known[start, PIVOT], known[PIVOT, end]]
    return None
