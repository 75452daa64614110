"""Models from the Hugging Face hub: names, download, and clear words when there is no network."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

from spanferry.corpora.errors import ModelError
from spanferry.translators.cache import cache_root, require_space
from spanferry.translators.conversion.convert import WEIGHTS, is_hugging_face
from spanferry.translators.families.ready import READY, is_ready
from spanferry.translators.languages.codes import CODES
from spanferry.translators.languages.tags import choose, tags_of

NAMES = {
    "nllb-600m": "facebook/nllb-200-distilled-600M",
    "nllb-1.3b": "facebook/nllb-200-distilled-1.3B",
    "nllb-3.3b": "facebook/nllb-200-3.3B",
    "m2m100-418m": "facebook/m2m100_418M",
    "m2m100-1.2b": "facebook/m2m100_1.2B",
    "small100": "alirezamsh/small100",
    "mbart50": "facebook/mbart-large-50-many-to-many-mmt",
    "madlad-3b": "google/madlad400-3b-mt",
    "madlad-7b": "google/madlad400-7b-mt",
    "madlad-10b": "google/madlad400-10b-mt",
}
# Part of a released model's name to the table of its codes.
_TABLES = {
    "nllb-200": "nllb",
    "m2m100": "m2m100",
    "small100": "small100",
    "mbart-large-50": "mbart50",
    "madlad400": "madlad",
}
OPUS = "opus-mt"
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+(@[\w.-]+)?")
_KEEP = ("*.json", "*.jinja", "*.spm", "*.model", "*.txt")


def hub_id(spec: str, source: str | None = None, target: str | None = None) -> tuple[str, str | None] | None:
    """Hub id and revision that ``spec`` names, or None where it names none.

    ``opus-mt`` needs the languages: it is ``Helsinki-NLP/opus-mt-<source>-<target>``. ``id@revision`` pins a commit,
    branch or tag.

    Raises:
        ModelError: ``opus-mt`` without languages.
    """
    if spec == OPUS:
        if not source or not target:
            raise ModelError("opus-mt has one model for each direction", hint="give source and target, or a hub id")
        return f"Helsinki-NLP/opus-mt-{source.split('-')[0]}-{target.split('-')[0]}", None
    spec = NAMES.get(spec.lower(), spec)
    if not _HUB_ID.fullmatch(spec):
        return None
    repo, _, revision = spec.partition("@")
    return repo, revision or None


def check_languages(repo: str, source: str | None, target: str | None) -> None:
    """Tells before a download of gigabytes that a released model does not know a language.

    Raises:
        ModelError: It does not; the message names the nearest.
    """
    owner, _, name = repo.partition("/")
    table = next((table for part, table in _TABLES.items() if part in name.lower()), None)
    if table is None or f"{owner}/" not in {f"{known.split('/')[0]}/" for known in NAMES.values()}:
        return
    codes = (code.split("_")[0] for code in CODES[table]) if table == "mbart50" else CODES[table]
    known = list(tags_of(codes))
    # MADLAD says nothing of the source, whatever it is.
    for tag in (None if table == "madlad" else source, target):
        if tag is not None:
            choose(tag, known, repo)


def download(repo: str, revision: str | None = None) -> tuple[Path, str]:
    """The files of a model, downloaded once into the cache of the hub's own client.

    Of a repository that holds a CTranslate2 model only that is downloaded.

    Returns:
        The directory and the commit it is at.

    Raises:
        ModelError: No network and not downloaded before, no such model, no permission, or no space.
    """
    from huggingface_hub import HfApi, snapshot_download

    try:
        found = local_snapshot(repo, revision)
        if found is None:
            info = HfApi().model_info(repo, revision=revision, files_metadata=True)
            sizes = {file.rfilename: file.size or 0 for file in info.siblings or []}
            kinds = (READY, *WEIGHTS)
            kind = next((kind for kind in kinds if any(fnmatch(name, kind) for name in sizes)), WEIGHTS[0])
            weights = sum(size for name, size in sizes.items() if fnmatch(name, kind))
            require_space(cache_root(), weights, f"downloading {repo}")
            found = Path(snapshot_download(repo, revision=info.sha, allow_patterns=[*_KEEP, kind]))
    except ModelError:
        raise
    except Exception as error:  # the client lets its transport's own exceptions through, and they changed before
        first = str(error).strip().split("\n")[0]
        raise ModelError(
            f"model {repo!r} can't be downloaded: {first}",
            valid=f"a hub id, {', '.join(NAMES)}, {OPUS}, or a directory",
            hint="without a network, copy the model here and give its directory; private ones need `hf auth login`",
        ) from error
    return found, found.name


def local_snapshot(repo: str, revision: str | None) -> Path | None:
    """What an earlier download left in the hub's cache, if it is a whole model."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    for weights in (READY, *WEIGHTS):
        try:
            patterns = [*_KEEP, weights]
            found = Path(snapshot_download(repo, revision=revision, allow_patterns=patterns, local_files_only=True))
        except LocalEntryNotFoundError:
            continue
        if is_ready(found) or is_hugging_face(found):
            return found
    return None


def tokenizer_place(spec: str) -> str:
    """Where the tokenizer is that the option ``tokenizer`` names: a file, a folder, or a hub id, of which the files
    other than the weights are downloaded.

    Raises:
        ModelError: There is none.
    """
    path = Path(spec).expanduser()
    if path.exists():
        return str(path)
    named = hub_id(spec)
    if named is None:
        raise ModelError(f"no tokenizer {spec!r}", valid="a file, a folder or a hub id", hint=f"ls {path.parent}")
    from huggingface_hub import snapshot_download

    try:
        return str(snapshot_download(named[0], revision=named[1], allow_patterns=[*_KEEP]))
    except Exception as error:  # as in download()
        first = str(error).strip().split("\n")[0]
        raise ModelError(
            f"tokenizer {spec!r} can't be downloaded: {first}",
            valid="a file, a folder or a hub id",
            hint="without a network, copy the tokenizer's files here and give their folder",
        ) from error
