"""Getting Firefox's models: from Mozilla's Remote Settings into the cache, checked, once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from spanferry.corpora.errors import MissingExtraError, ModelError
from spanferry.translators.cache import cache_root, require_space, written_once
from spanferry.translators.firefox.files import PIVOT, Leg, bcp47, firefox_code, legs_in, route, write_checksums

# Seconds that one read from the network may take.
_TIMEOUT = 60.0
_HINT = "spanferry models add firefox -s en -t es, once with a network; firefox:DIR takes a folder of models"
Say = Callable[[str], None]


def firefox_root() -> Path:
    """Where downloaded models are: ``<source>-<target>/`` each."""
    return cache_root() / "firefox"


def engine() -> Any:
    """The package ``fxtranslate``.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        import fxtranslate
    except ImportError as error:
        raise MissingExtraError.of("fxtranslate", "firefox", "the translator 'firefox'") from error
    return fxtranslate


def obtain(source: str, target: str, say: Say = lambda line: None) -> list[Leg]:
    """The models from ``source`` to ``target``, downloaded where they are not in the cache.

    Args:
        source: BCP-47.
        target: BCP-47.
        say: Called with one line before each download: what is downloaded and how large it is.

    Raises:
        ModelError: There is no model for the pair, no network, or a file does not have the hash that was announced.
    """
    found = route(legs_in(firefox_root()), source, target)
    if found is not None:
        return found
    records = _records()
    for read, written in _wanted_pairs(records, source, target):
        _download(records, read, written, say)
    found = route(legs_in(firefox_root()), source, target)
    if found is None:
        raise ModelError(f"the downloaded models do not lead from {source} to {target}", where=str(firefox_root()))
    return found


def _get(url: str) -> bytes:
    import httpx

    try:
        answer = httpx.get(url, timeout=_TIMEOUT, follow_redirects=True)
        answer.raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ModelError(f"Firefox's models can't be downloaded: {error}", where=url, hint=_HINT) from error
    return answer.content


def _records() -> list[dict[str, Any]]:
    """What Mozilla offers: one record for each file. The engine's own list says which versions it can run."""
    discovery = engine().discovery
    body = _get(discovery.records_url())
    try:
        usable = set(discovery.model_pairs(body.decode()))
        records = json.loads(body)["data"]
        return [r for r in records if (r["sourceLanguage"], r["targetLanguage"]) in usable]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(
            "the list of Firefox's models can't be read", where=discovery.records_url(), hint=_HINT
        ) from error


def _wanted_pairs(records: Sequence[Mapping[str, Any]], source: str, target: str) -> list[tuple[str, str]]:
    offered = {(firefox_code(bcp47(r["sourceLanguage"])), firefox_code(bcp47(r["targetLanguage"]))): r for r in records}
    codes = {pair: (str(r["sourceLanguage"]), str(r["targetLanguage"])) for pair, r in offered.items()}
    start, end = firefox_code(source), firefox_code(target)
    if (start, end) in codes:
        return [codes[start, end]]
    if (start, PIVOT) in codes and (PIVOT, end) in codes:
        return [codes[start, PIVOT], codes[PIVOT, end]]
    known = sorted({code for pair in codes for code in pair})
    missing = next(
        (tag for tag, code in ((source, start), (target, end)) if code not in known), f"{source} to {target}"
    )
    raise ModelError(
        f"Firefox has no model for {missing}", valid=known, hint="--translator nllb-600m knows 200 languages"
    )


def _download(records: Sequence[Mapping[str, Any]], source: str, target: str, say: Say) -> None:
    files = _newest([r for r in records if (r["sourceLanguage"], r["targetLanguage"]) == (source, target)])
    size = sum(int(r["attachment"]["size"]) for r in files)
    folder = firefox_root() / f"{source}-{target}"
    with written_once(folder) as place:
        if place is None:
            return
        say(f"downloading Firefox's model {source}-{target} ({size / 1e6:.1f} MB) into {folder}")
        require_space(folder.parent, 3 * size, f"the model {source}-{target}")
        place.mkdir(parents=True)
        base = _attachments()
        for record in files:
            packed = _get(base + str(record["attachment"]["location"]))
            try:
                content = engine().discovery.verify_and_decompress(packed, record.get("decompressedHash"))
            except ValueError as error:
                raise ModelError(f"{record['name']} is not what was announced: {error}", hint=_HINT) from error
            # A name is a name, whatever a record says.
            (place / Path(str(record["name"])).name).write_bytes(content)
        write_checksums(place)


def _newest(records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The files of the newest version of a model; of several sizes the largest, which is the best."""

    def rank(record: Mapping[str, Any]) -> tuple[Any, ...]:
        version = tuple(int("".join(c for c in part if c.isdigit()) or 0) for part in str(record["version"]).split("."))
        return version, _ARCHITECTURES.get(str(record.get("architecture")), -1)

    best = max(rank(record) for record in records)
    return [record for record in records if rank(record) == best]


# Sizes of Mozilla's models, the smallest first.
_ARCHITECTURES = {"tiny": 0, "base": 1, "base-memory": 2}


def _attachments() -> str:
    """Where the files are: the server of the list says so, as every Remote Settings server does."""
    url = engine().discovery.records_url()
    root = url.partition("/v1/")[0] + "/v1/"
    try:
        return str(json.loads(_get(root))["capabilities"]["attachments"]["base_url"])
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError("the server does not say where its files are", where=root, hint=_HINT) from error
