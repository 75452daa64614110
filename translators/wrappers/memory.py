"""Translations kept across runs: what was translated before, with the same model and choices, is read instead."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.schema import Translation
from spanferry.corpora.signature import Signature
from spanferry.translators.cache import cache_root
from spanferry.translators.engine import limits
from spanferry.translators.wrappers.wrapped import WrappedTranslator

# Changes whenever the same model would give another translation, or an entry is written in another way.
_FORMAT = 2
_AT_ONCE = 500  # parameters of one statement
_WAIT = 20.0  # seconds for another process's write; a hundred thousand entries take less than one
_LOG = logging.getLogger("spanferry")


def memory_path() -> Path:
    """``<cache>/memory.sqlite``, where ``SPANFERRY_CACHE`` or the platform puts the cache."""
    return cache_root() / "memory.sqlite"


class TranslationMemory:
    """Key to entry in one SQLite file that several processes may share.

    The file keeps below a size: when it is beyond, the oldest third goes. A file that can't be opened, read or written
    costs nothing but the memory: one warning is logged, everything is translated, and this process does not try again.
    Each entry carries a checksum of its key and text, so that a damaged one is translated anew and never read.

    Args:
        path: The file.
        megabytes: 10^6 bytes it may take.
    """

    def __init__(self, path: Path, megabytes: int) -> None:
        self.path, self.megabytes = path, megabytes
        self._usable = True

    def get(self, keys: Sequence[bytes]) -> dict[bytes, str]:
        """The entries that are there and as they were written; a damaged one is taken out."""
        if not self._usable:
            return {}
        found: dict[bytes, str] = {}
        damaged: list[bytes] = []
        with self._guarded(), closing(self._open()) as store:
            for i in range(0, len(keys), _AT_ONCE):
                some = keys[i : i + _AT_ONCE]
                marks = ",".join("?" * len(some))
                query = f"SELECT key, entry FROM translations WHERE key IN ({marks})"
                for key, sealed in store.execute(query, some):
                    if (entry := _unsealed(key, sealed)) is None:
                        damaged.append(key)
                    else:
                        found[key] = entry
            if damaged:
                with store:
                    store.executemany("DELETE FROM translations WHERE key = ?", [(key,) for key in damaged])
        if damaged:
            _LOG.warning("%s: %d damaged translation(s) are made anew", self.path, len(damaged))
        return found

    def put(self, entries: Sequence[tuple[bytes, str]]) -> None:
        """Adds entries, all of them or none; one that is there stays."""
        if not self._usable:
            return
        sealed = [(key, f"{_seal(key, entry)}{entry}".encode("utf-8", "surrogatepass")) for key, entry in entries]
        with self._guarded(), closing(self._open()) as store:
            with store:
                store.executemany("INSERT OR IGNORE INTO translations (key, entry) VALUES (?, ?)", sealed)
            pages, size = (store.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
            if pages * size > self.megabytes * 1_000_000:
                self._prune(store)

    def __len__(self) -> int:
        if not self._usable:
            return 0
        count: int = 0
        with self._guarded(), closing(self._open()) as store:
            count = store.execute("SELECT count(*) FROM translations").fetchone()[0]
        return count

    @staticmethod
    def _prune(store: sqlite3.Connection) -> None:
        with store:
            low, high = store.execute("SELECT min(number), max(number) FROM translations").fetchone()
            store.execute("DELETE FROM translations WHERE number <= ?", (low + (high - low) // 3,))
        store.execute("VACUUM")

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # A connection for each call: neither threads nor forks share one. No write-ahead log, which needs memory
        # that the processes share and so fails on network disks.
        store = sqlite3.connect(self.path, timeout=_WAIT)
        store.execute(
            "CREATE TABLE IF NOT EXISTS translations"
            " (number INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL UNIQUE, entry BLOB NOT NULL)"
        )
        return store

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except (
            OSError,
            sqlite3.Error,
            ValueError,
            TypeError,
        ) as error:  # a damaged file also breaks sqlite's own messages
            if self._usable:
                _LOG.warning(
                    "%s: translations are not kept (%s); delete the file or set SPANFERRY_CACHE", self.path, error
                )
            self._usable = False


class RememberingTranslator(WrappedTranslator):
    """Reads translations it has seen and translates the rest; the bytes are those of the inner translator.

    Where rows do not depend on each other (``rows_independent``: int8 on a CPU, see ``search``) each
    text is an entry. Where the last digits of a score hang on the batch, a whole call is one: then only the same texts
    in the same order are found again, as when a run is made once more into another directory. Either way a hit is what
    the model would give, to the last bit. The key holds the inner signature (model, type, beam, glossary …), both
    languages, the text, and the versions of CTranslate2 and of the entry.

    A ``model_error`` is not kept, nor what an endpoint failed at: memory that was short or a server that was busy once
    is not a property of the text.

    Args:
        inner: Any translator.
        memory: Where entries are.
    """

    hidden: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, inner: Any, memory: TranslationMemory) -> None:
        super().__init__(inner)
        self.memory = memory

    @property
    def signature(self) -> Signature:
        """The inner signature: what is remembered changes nothing."""
        return Signature.of(self.inner.signature)

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[Translation]:
        """One translation per text, in order."""
        if not texts:
            return []
        units = [[text] for text in dict.fromkeys(texts)] if self._by_row else [list(texts)]
        head = json.dumps([_FORMAT, version("ctranslate2"), self.signature, source, target])
        keys = [_key(head, unit) for unit in units]
        known = self.memory.get(keys)
        new = [i for i, key in enumerate(keys) if key not in known]
        flat = [text for i in new for text in units[i]]
        fresh = iter(self.inner.translate(flat, source, target) if flat else [])
        results = {i: [next(fresh) for _ in units[i]] for i in new}
        kept = [(keys[i], _written(row)) for i, row in results.items() if all(_lasting(one) for one in row)]
        if kept:
            self.memory.put(kept)
        results |= {i: _read(known[key]) for i, key in enumerate(keys) if key in known}
        if not self._by_row:
            return results[0]
        by_text = {unit[0]: results[i][0] for i, unit in enumerate(units)}
        return [by_text[text] for text in texts]

    @property
    def _by_row(self) -> bool:
        return bool(getattr(self.inner, "rows_independent", False))


@lru_cache(maxsize=8)
def open_memory(megabytes: int, path: Path) -> TranslationMemory:
    """The memory of a file, one for each in a process.

    Raises:
        ConfigError: A size below zero.
    """
    if megabytes < 0:
        raise ConfigError(f"memory_mb={megabytes}", valid="0 (nothing is kept) or more", hint="memory_mb=0")
    return TranslationMemory(path, megabytes)


def _key(head: str, texts: Sequence[str]) -> bytes:
    content = json.dumps(texts)  # escapes everything outside ASCII, unpaired surrogates too
    return blake2b(f"{head}\n{content}".encode(), digest_size=16).digest()


def _seal(key: bytes, entry: str) -> str:
    """16 hexadecimal digits that stand before an entry."""
    return blake2b(key + entry.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _unsealed(key: object, sealed: object) -> str | None:
    """The entry, or None where it is not what was written under this key."""
    if not isinstance(key, bytes) or not isinstance(sealed, bytes):
        return None
    try:
        text = sealed.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return None
    seal, entry = text[:16], text[16:]
    return entry if seal == _seal(key, entry) else None


def _lasting(translation: Translation) -> bool:
    return not (translation.reason or "").startswith((limits.MODEL_ERROR, "endpoint_"))


def _written(row: Sequence[Translation]) -> str:
    return json.dumps([[t.text, t.pieces, t.score, t.truncated, t.reason] for t in row], ensure_ascii=False)


def _read(entry: str) -> list[Translation]:
    return [Translation(text, tuple(pieces), *rest) for text, pieces, *rest in json.loads(entry)]
