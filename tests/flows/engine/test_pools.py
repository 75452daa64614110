"""Where jobs run: what the workers of a local Dask cluster are given."""

import dask.config
import pytest

from spanferry.flows.config import ExecutorConfig
from spanferry.flows.engine.pools import _task_runner

PLACE = "distributed.nanny.pre-spawn-environ"


@pytest.mark.parametrize(("given", "expected"), [(65536, None), (1 << 30, 1 << 30)])
def test_workers_keep_their_memory_unless_the_user_says_otherwise(given: int, expected: int | None) -> None:
    pytest.importorskip("distributed")
    with dask.config.set({PLACE: {"MALLOC_TRIM_THRESHOLD_": given, "OMP_NUM_THREADS": 1}}):
        _task_runner(ExecutorConfig(kind="dask"))
        environ = dask.config.get(PLACE)
    assert environ["OMP_NUM_THREADS"] == 1 and environ.get("MALLOC_TRIM_THRESHOLD_") == expected
