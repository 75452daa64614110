"""Engines in the memory of a process: shared by all who use one, freed when nobody does, but for the last few."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar
from weakref import WeakValueDictionary

Loaded = TypeVar("Loaded")


class Engines:
    """What was loaded, at most once per key at any time.

    An engine that somebody uses stays and is shared. Of those that nobody uses, the ones asked for last stay, so that
    the next call finds them loaded; the others are freed before another one is loaded, since both may not fit.

    Args:
        kept: How many stay per device without a user.
    """

    def __init__(self, kept: int) -> None:
        self._kept, self._lock = kept, threading.RLock()
        self._alive: WeakValueDictionary[Hashable, Any] = WeakValueDictionary()
        self._recent: dict[str, OrderedDict[Hashable, Any]] = {}
        self._devices: dict[Hashable, str] = {}

    def get(self, key: Hashable, device: str, make: Callable[[], Loaded]) -> Loaded:
        """The engine of ``key``; whoever asks at the same time waits and gets the same one.

        Args:
            key: Everything that it depends on.
            device: ``cpu`` or ``cuda``.
            make: Loads it; the value must be one that can be referenced weakly.
        """
        with self._lock:
            recent = self._recent.setdefault(device, OrderedDict())
            found = self._alive.get(key)
            if found is None:
                while len(recent) >= self._kept:
                    recent.popitem(last=False)
                found = self._alive[key] = make()
                self._devices = {k: d for k, d in self._devices.items() if k in self._alive} | {key: device}
            recent[key] = found
            recent.move_to_end(key)
            while len(recent) > self._kept:
                recent.popitem(last=False)
            loaded: Loaded = found
            return loaded

    def count(self, device: str) -> int:
        """How many engines are in memory on a device, used or kept."""
        with self._lock:
            return sum(self._devices[key] == device for key in list(self._alive))
