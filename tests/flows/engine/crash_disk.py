"""A disk that fails, ends the process or loses what was not synced, at one of the calls that change it.

The calls are seen by a library in front of the system's (``disk_calls.c``, loaded by ``LD_PRELOAD``), so those of
Arrow, Polars and SQLite count too.
"""

# It says what a system does, so it works with what the system offers.
# ruff: noqa: PTH103, PTH104, PTH107, PTH110, PTH112, PTH113, PTH120, PTH202
import ctypes
import errno
import os
import random
import shutil
import threading
from pathlib import Path

# ``kill``: the process ends there, in the middle of a write. ``ENOSPC``, ``EIO``: the call fails, and every later one
# too. ``power``: it ends, and everything that was not synced is lost; ``power-some``: a random half of that.
KINDS = ("kill", "ENOSPC", "EIO", "power", "power-some")
CRASHED = 77
_TORN = -1
_REPORT = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_long)


class Disk:
    """Counts the calls that change what is below ``out`` and does ``kind`` at number ``at``; 0: never."""

    def __init__(self, out: Path, kind: str, at: int) -> None:
        self.out, self.kind, self.at, self.count, self.off = out, kind, at, 0, False
        self._lock = threading.Lock()
        self._writes = ("", 0)  # the file that was last written to, and how often in a row
        self.unsynced: dict[str, int] = {}  # file to its size when it was last synced
        # Names that were made, changed or removed since their folder was synced, in order: path, source, content.
        self.names: list[tuple[str, str, str, bytes | None]] = []

    def install(self) -> None:
        """From here on the calls of this process are counted."""
        self._kept = _REPORT(self._reported)
        ctypes.CDLL(None).disk_calls_report(str(self.out).encode(), self._kept)

    def _reported(self, call: bytes, path: bytes, other: bytes, amount: int) -> int:
        try:
            with self._lock:  # several threads write
                return 0 if self.off else self.change(call.decode(), os.fsdecode(path), os.fsdecode(other), amount)
        except BaseException as error:  # none must be lost in the library
            os.write(2, f"{error!r}\n".encode())
            os._exit(3)

    def change(self, call: str, path: str, other: str, amount: int) -> int:
        """What becomes of a call: 0: it is done; an errno: it fails; -1: half of it is done and the process ends."""
        if path.endswith("/.lock") or (call == "open" and not amount & (os.O_CREAT | os.O_TRUNC)):
            return 0
        # Of writes in a row to one file those at powers of two count: Arrow makes hundreds of a few bytes each.
        self._writes = (path, self._writes[1] + 1 if call == "write" and self._writes[0] == path else 1)
        if self._writes[1] & (self._writes[1] - 1) == 0:
            self.count += 1
        elif self.count != self.at:
            self._note(call, path, other, amount)
            return 0
        if self.at and self.count >= self.at:
            if self.kind in ("ENOSPC", "EIO"):
                # A full disk does not hinder a removal, nor a name.
                return 0 if call in ("remove", "rename") else getattr(errno, self.kind)
            self.off = True
            if self.kind != "kill":
                self._lose()
                os._exit(CRASHED)
            return _TORN
        self._note(call, path, other, amount)
        return 0

    def _note(self, call: str, path: str, other: str, amount: int) -> None:
        if call == "open":
            if not os.path.exists(path):
                self.names.append(("made", path, "", None))
            if amount & os.O_TRUNC or not os.path.exists(path):
                self.unsynced[path] = 0
        elif call == "write":
            self.unsynced.setdefault(path, os.path.getsize(path))
        elif call == "mkdir":
            if path != self.out and not os.path.exists(path):
                self.names.append(("made", path, "", None))
        elif call == "sync":
            self.unsynced.pop(path, None)
            self.names = [one for one in self.names if os.path.dirname(one[1]) != path]
        elif call == "remove":
            content = Path(path).read_bytes() if os.path.isfile(path) and path not in self.unsynced else None
            self.unsynced.pop(path, None)
            self.names.append(("removed", path, "", content))
        elif call == "rename":
            before = Path(path).read_bytes() if os.path.isfile(path) else None
            inside = other + "/"
            for old in [p for p in self.unsynced if p == other or p.startswith(inside)]:
                self.unsynced[path + old[len(other) :]] = self.unsynced.pop(old)
            # What is in a folder goes with it; the name itself is undone first, and was made under the old one.
            self.names = [
                (what, path + p[len(other) :] if p.startswith(inside) else p, source, content)
                for what, p, source, content in self.names
            ]
            self.names.append(("renamed", path, other, before))

    def _lose(self) -> None:
        rng = random.Random(self.at)

        def is_lost() -> bool:
            return self.kind == "power" or rng.random() < 0.5

        for path, size in self.unsynced.items():
            if os.path.isfile(path) and is_lost():
                os.truncate(path, (size + os.path.getsize(path)) // 2)
        for what, path, source, content in reversed(self.names):
            if not is_lost():
                continue
            if what == "removed" and content is not None and os.path.isdir(os.path.dirname(path)):
                if not os.path.exists(path):
                    Path(path).write_bytes(content)
            elif what == "made" and os.path.isdir(path):
                shutil.rmtree(path, ignore_errors=True)  # other threads may still write there
            elif what == "made" and os.path.isfile(path):
                os.remove(path)
            elif what == "renamed" and os.path.exists(path):
                os.makedirs(os.path.dirname(source), exist_ok=True)
                if not os.path.exists(source):
                    os.rename(path, source)
                if content is not None:
                    Path(path).write_bytes(content)
