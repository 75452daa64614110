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
from dataclasses import dataclass

from spanferry.corpora.errors import ModelError
from spanferry.translators.engine.failures import settle
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
        found = [answer for share in self._threads.map(self._share, shares) for answer in share]
        errors = [answer.error for answer in found if isinstance(answer, _Failed)]
        direction = f"firefox {self.leg.source}-{self.leg.target}"
        settle(errors, len(texts), direction, str(self.leg.model), hint="spanferry models check firefox")
        return [None if isinstance(answer, _Failed) else answer for answer in found]

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

    def _share(self, texts: Sequence[str]) -> list[str | _Failed]:
        engine = self._free.get()
        try:
            if engine is None or not engine.alive:
                engine = _Engine(self.leg)
            answers = engine.ask(texts)
            if answers is not None:
                return answers
            # The process died. One text did that: the others are translated each by itself.
            error = engine.end()
            engine = None
            if len(texts) == 1:
                return [_Failed(error)]
        finally:
            self._free.put(engine)
        return [answer for single in texts for answer in self._share([single])]


def _end_all(free: queue.LifoQueue[_Engine | None]) -> None:
    """Ends the processes of a pool that nobody uses any more."""
    with contextlib.suppress(queue.Empty):
        while True:
            engine = free.get_nowait()
            if engine is not None:
                engine.end()


@dataclass(frozen=True)
class _Failed:
    """What became of a text that has no translation."""

    error: str


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
            raise ModelError(
                f"the engine does not take the model: {self.end()}",
                where=str(leg.model),
                hint="spanferry models check firefox",
            )

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, texts: Sequence[str]) -> list[str | _Failed] | None:
        """Translations, each of them or why there is none; None where the process died."""
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(json.dumps(list(texts)) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except (OSError, ValueError):
            return None
        if not line.endswith("\n"):
            return None
        return [answer if isinstance(answer, str) else _Failed(answer[0]) for answer in json.loads(line)]

    def end(self) -> str:
        """Ends the process; returns the last line that it wrote to standard error, or how it ended."""
        self._process.kill()
        _, noise = self._process.communicate()
        lines = noise.strip().splitlines()
        return lines[-1] if lines else f"the process ended with status {self._process.returncode}"
