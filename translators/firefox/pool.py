"""Engines in processes of their own, and texts shared out among them."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from spanferry.corpora.errors import ModelError
from spanferry.translators.firefox.files import Leg

# Texts that one engine gets at a time: enough that a pipe's round trip does not count, few enough to share evenly.
_SHARE = 16


class EnginePool:
    """Processes that translate with one model. They start with the first text and end with this object.

    Args:
        leg: The model.
        workers: How many processes, at least 1.
    """

    def __init__(self, leg: Leg, workers: int) -> None:
        self.leg, self.workers = leg, workers
        self._free: queue.LifoQueue[_Engine | None] = queue.LifoQueue()
        for _ in range(workers):
            self._free.put(None)
        weakref.finalize(self, _end_all, self._free)
        self._threads: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    def translate(self, texts: Sequence[str]) -> list[str | None]:
        """One translation per text, in order; None where the engine failed on it.

        Raises:
            ModelError: No engine starts, or every text fails.
        """
        with self._lock:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(self.workers, "firefox")
        shares = [texts[i : i + _SHARE] for i in range(0, len(texts), _SHARE)]
        found = [text for share in self._threads.map(self._share, shares) for text in share]
        if len(texts) > 1 and all(text is None for text in found):
            raise ModelError(
                f"the model {self.leg.source}-{self.leg.target} failed on all {len(texts)} texts",
                where=str(self.leg.model),
                hint="spanferry models check firefox",
            )
        return found

    def close(self) -> None:
        """Ends the processes."""
        with self._lock:
            if self._threads is not None:
                self._threads.shutdown(cancel_futures=True)
                self._threads = None
        for _ in range(self.workers):
            engine = self._free.get()
            if engine is not None:
                engine.end()
            self._free.put(None)

    def _share(self, texts: Sequence[str]) -> list[str | None]:
        engine = self._free.get()
        try:
            if engine is None or not engine.alive:
                engine = _Engine(self.leg)
            answers = engine.ask(texts)
            if answers is not None:
                return answers
            # The process died. One text did that: the others are translated each by itself.
            engine.end()
            engine = None
            if len(texts) == 1:
                return [None]
        finally:
            self._free.put(engine)
        return [text for single in texts for text in self._share([single])]


def _end_all(free: queue.LifoQueue[_Engine | None]) -> None:
    """Ends the processes of a pool that nobody uses any more."""
    with contextlib.suppress(queue.Empty):
        while True:
            engine = free.get_nowait()
            if engine is not None:
                engine.end()


class _Engine:
    """One process."""

    def __init__(self, leg: Leg) -> None:
        paths = [leg.model, leg.source_vocabulary, leg.target_vocabulary, *([leg.shortlist] if leg.shortlist else [])]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "spanferry.translators.firefox.worker", *map(str, paths)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        if self.ask([]) is None:
            _, noise = self._process.communicate()
            last = noise.strip().splitlines()[-1] if noise.strip() else "no message"
            raise ModelError(
                f"the engine does not take the model: {last}",
                where=str(leg.model),
                hint="spanferry models check firefox",
            )

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, texts: Sequence[str]) -> list[str | None] | None:
        """Translations, or None where the process died."""
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(json.dumps(list(texts)) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except (OSError, ValueError):
            return None
        return json.loads(line) if line.endswith("\n") else None

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()
