"""What a Dask worker of this machine does first: Ctrl-C in the terminal is for the run, which ends its workers."""

import contextlib
import os
import signal
from typing import Any


def dask_setup(worker: Any) -> None:
    """Called by Dask in each worker, as a preload module; the worker leaves the terminal's session."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(PermissionError):  # it leads its session already
        os.setsid()
