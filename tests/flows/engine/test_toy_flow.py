"""A flow of a few lines has everything that the others have: resume, dry run, failures, two at once, Prefect."""

import io
import re
import threading
import uuid
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pytest
from rich.console import Console

from spanferry.corpora.errors import OutputError, SpanferryError
from spanferry.flows.config import ExecutorConfig, Section, to_json
from spanferry.flows.engine.display import LineProgress
from spanferry.flows.engine.emit import check_sum
from spanferry.flows.engine.flow import Flow, Result, rehearse, run
from spanferry.flows.engine.place import run_lock
from spanferry.flows.engine.progress import Progress
from spanferry.flows.engine.read import write_shards
from spanferry.flows.engine.step import Job, Made, Step

# A whole flow: rows of numbers, squared shard by shard, summed up, written.


class Squares(Section):
    flow: Literal["squares"] = "squares"
    numbers: int = 10
    power: int = 2
    out: Path = Path("out")
    executor: ExecutorConfig = ExecutorConfig()

    def to_json(self) -> str:
        return to_json(self)


def squares(config: Squares, note: "list[str] | None" = None) -> Flow:
    noted = [] if note is None else note

    def read(job: Job) -> Made:
        return write_shards(job, range(config.numbers), lambda rows: pa.table({"n": rows}), shard_rows=4)

    def power(job: Job) -> Made:
        noted.append(f"power {job.shard}")
        rows = [n**config.power for n in job.inputs[0].read(job.shard)["n"].to_pylist()]
        if 25 in rows and config.power == 2 and "fail" in noted:
            raise SpanferryError("no fives", hint="try six")
        return Made(pa.table({"n": rows}), len(rows))

    def total(job: Job) -> Made:
        noted.append("total")
        return Made(pa.table({"sum": [sum(sum(job.inputs[0].read(s)["n"].to_pylist()) for s in range(job.shards))]}), 1)

    def emit(job: Job) -> Made:
        value = job.inputs[0].read(0)["sum"][0].as_py()
        job.place.mkdir(parents=True, exist_ok=True)
        (job.place / "sum.txt").write_text(f"{value}\n")
        return Made(facts={"read": config.numbers, "kept": value})

    source = Step("read", f"numbers:{config.numbers}", read, scope="read")
    raised = Step("power", f"power:{config.power}", power, (source,))
    summed = Step("total", "sum:1", total, (raised,), "whole")
    return Flow(config, [Step("emit", "text", emit, (summed,), "emit", place="sum")], title="squares")


def _run(config: Squares, note: list[str] | None = None, **how: object) -> Result:
    return run(squares(config, note), prefect=False, **how)  # type: ignore[arg-type]


def test_what_is_there_is_not_computed_again(tmp_path: Path) -> None:
    config = Squares(out=tmp_path / "out")
    done = _run(config)
    assert (config.out / "sum" / "sum.txt").read_text() == "285\n"
    assert done.computed == {"power": 3, "total": 1} and done.outcome.shards == {"read": 3}
    again = _run(config)
    assert again.computed == {} and again.facts == done.facts and again.written == done.written
    other = _run(Squares(out=config.out, power=3))
    assert other.facts["sum"]["kept"] == 2025 and other.computed == {"power": 3, "total": 1}
    assert _run(config).computed == {}, "the first one's shards are still there"
    assert (config.out / "sum" / "sum.txt").read_text() == "285\n"


def test_a_later_step_does_not_need_what_its_output_does_not_depend_on(tmp_path: Path) -> None:
    config = Squares(out=tmp_path / "out")
    _run(config)
    for path in config.out.glob("stages/power-*/*.arrow"):
        path.unlink()
    (config.out / "sum" / ".spanferry.json").unlink()
    assert _run(config).computed == {}, "the sum was there"
    for path in config.out.glob("stages/total-*/*"):
        path.unlink()
    (config.out / "sum" / ".spanferry.json").unlink()
    assert _run(config).computed == {"power": 3, "total": 1}


def test_a_shard_goes_on_before_the_others_are_through(tmp_path: Path) -> None:
    note: list[str] = []
    config = Squares(out=tmp_path / "out", numbers=40, executor=ExecutorConfig(workers=1))
    flow = squares(config, note)
    (last,) = flow.outputs
    (total,) = last.after

    def follow(job: Job) -> Made:
        note.append(f"follow {job.shard}")
        return Made(job.inputs[0].read(job.shard), 4)

    power = total.after[0]
    follows = Step("follow", "follow", follow, (power,))
    after = Step(
        "emit", "text", last.work, (Step("total", "sum", total.work, (follows,), "whole"),), "emit", place="sum"
    )
    run(Flow(config, [after]), prefect=False)
    assert note.index("follow 0") < note.index("power 9"), note
    assert note[-1] == "total" and len(note) == 21, "only the step that needs all waits for all"


def test_a_shard_that_fails_loses_no_other_and_the_run_goes_on_from_there(tmp_path: Path) -> None:
    config, note = Squares(out=tmp_path / "out"), ["fail"]
    done = _run(config, note)
    (failure,) = done.failures
    assert (failure.stage, failure.shard, failure.message) == ("power", 1, "no fives\nHint: try six")
    assert done.computed == {"power": 2} and not done.written and "total" not in note
    note.clear()
    assert _run(config, note).computed == {"power": 1, "total": 1} and note == ["power 1", "total"]


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=200)
    done = rehearse(squares(Squares(out=tmp_path / "out", numbers=1000)), console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert done.facts["sum"]["kept"] == sum(n * n for n in range(64)) and "Nothing was written." in shown
    assert list(tmp_path.iterdir()) == []


def test_overwriting_waits_for_the_lock(tmp_path: Path) -> None:
    config = Squares(out=tmp_path / "out")
    _run(config)
    with run_lock(config.out), pytest.raises(OutputError, match="another spanferry process"):
        _run(config, overwrite=True)
    assert (config.out / "sum" / "sum.txt").exists() and list(config.out.glob("stages/*"))
    assert _run(config, overwrite=True).computed == {"power": 3, "total": 1}


def test_the_configuration_stays_until_there_is_something_to_show(tmp_path: Path) -> None:
    config = Squares(out=tmp_path / "out", power=3)
    _run(config)
    _run(Squares(out=config.out, power=2), ["fail"])
    assert (config.out / "config.json").read_text() == config.to_json()
    _run(Squares(out=config.out, power=2))
    assert '"power": 2' in (config.out / "config.json").read_text()


@pytest.mark.parametrize("foreign", ["thesis.tex", "model/weights.bin", "sum/mine.doc", "stages/mine"])
def test_a_run_with_something_else_in_it_is_not_forgotten(foreign: str, tmp_path: Path) -> None:
    config = Squares(out=tmp_path / "out")
    _run(config)
    (config.out / foreign).parent.mkdir(exist_ok=True)
    (config.out / foreign).write_text("years of work")
    with pytest.raises(OutputError, match=foreign.partition("/")[0]):
        _run(config, overwrite=True)
    assert (config.out / foreign).read_text() == "years of work" and (config.out / "sum" / "sum.txt").exists()
    assert _run(config).computed == {}, "a run that goes on minds nothing"


class _Impatient(Progress):
    """Presses Ctrl-C as soon as the first shard of a step is done."""

    def update(self, step: str, done: int, total: int | None) -> None:
        if step == "power" and done:
            raise KeyboardInterrupt


def test_an_interrupted_run_leaves_no_worker_and_goes_on(tmp_path: Path) -> None:
    config = Squares(out=tmp_path / "out", numbers=400)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        _run(config, progress=_Impatient())
    assert threading.active_count() == before
    done = _run(config)
    assert 0 < done.computed["power"] < 100 and done.facts["sum"]["kept"] == sum(n * n for n in range(400))


def test_work_that_ticks_stops_at_its_next_batch(tmp_path: Path) -> None:
    flow = squares(Squares(out=tmp_path / "out", numbers=8))
    (last,) = flow.outputs
    read = last.after[0].after[0].after[0]
    begun, ticks = threading.Event(), list[int]()

    def slow(job: Job) -> Made:
        begun.set()
        for tick in range(6000):  # a minute, if nothing stops it
            ticks.append(tick)
            job.tick(0)
            threading.Event().wait(0.01)
        return Made(job.inputs[0].read(job.shard), 4)

    class Stop(Progress):
        def update(self, step: str, done: int, total: int | None) -> None:
            if begun.is_set():
                raise KeyboardInterrupt

    output = Step("emit", "x", last.work, (Step("slow", "slow", slow, (read,)),), "emit", place="sum")
    with pytest.raises(KeyboardInterrupt):
        run(Flow(flow.config, [output]), prefect=False, progress=Stop())
    assert len(ticks) < 1000


def test_two_flows_in_two_threads_each_finish_with_their_own_output(tmp_path: Path) -> None:
    configs = [Squares(out=tmp_path / f"out{k}", numbers=30, power=k) for k in (1, 2)]
    failed: list[BaseException] = []

    def one(config: Squares) -> None:
        try:
            run(squares(config))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=one, args=(config,)) for config in configs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    sums = [int((config.out / "sum" / "sum.txt").read_text()) for config in configs]
    assert sums == [sum(range(30)), sum(n * n for n in range(30))]


def test_prefect_knows_the_run_by_name_parameters_tags_and_what_came_out(tmp_path: Path) -> None:
    name = f"shown-{uuid.uuid4().hex[:8]}"
    config = Squares(out=tmp_path / name, numbers=9)
    flow = squares(config)
    run(Flow(config, flow.outputs, title="squares", tags=["numbers"]))
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import (
        ArtifactFilter,
        ArtifactFilterFlowRunId,
        FlowRunFilter,
        FlowRunFilterName,
    )
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from spanferry.flows.prefect import server as prefect_server

    with temporary_settings({PREFECT_API_URL: prefect_server.url()}), get_client(sync_client=True) as client:
        wanted = FlowRunFilter(name=FlowRunFilterName(any_=[f"squares squares ({name})"]))
        (found,) = client.read_flow_runs(flow_run_filter=wanted)
        assert found.parameters["configuration"]["numbers"] == 9
        assert {"spanferry", "squares", "numbers"} <= set(found.tags)
        # One server serves all tests, and an answer holds 200 artifacts at most: ask for this run's alone.
        of_run = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[found.id]))
        tables = client.read_artifacts(artifact_filter=of_run)
        assert any(a.key == "summary" and "sum" in str(a.data) for a in tables)


def test_counts_that_do_not_add_up_are_never_passed_over() -> None:
    check_sum("rows", 3, {"kept": 2, "rejected": 1}, "es")
    for parts in ({"kept": 2}, {"kept": 2, "": 1}, {"kept": 2, "None": 1}):
        with pytest.raises(SpanferryError, match="do not add up"):
            check_sum("rows", 3, parts, "es")


def test_without_a_terminal_a_line_gives_rows_speed_and_time_left() -> None:
    console = Console(file=io.StringIO(), width=200)
    progress = LineProgress(console, every=0.0)
    for done in (0, 10, 20):
        progress.update("translate-es", done, 400)
        progress.update("project-es", done // 2, 400)
        threading.Event().wait(0.02)
    progress.finish("translate-es")
    progress.update("project-es", 20, 400)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    reported = r"translate-es 20 of 400, project-es 10 of 400 rows, [\d,.]+ rows/s, \d+:\d\d left"
    assert any(re.fullmatch(reported, line) for line in lines), lines
    assert re.fullmatch(r"project-es 20 of 400 rows, [\d,.]+ rows/s, \d+:\d\d left", lines[-1])


def test_a_step_without_news_is_reported_all_the_same(tmp_path: Path) -> None:
    flow = squares(Squares(out=tmp_path / "out", numbers=8))
    (last,) = flow.outputs
    heard: list[str] = []

    class Hear(Progress):
        def update(self, step: str, done: int, total: int | None) -> None:
            heard.append(step)

    def slow(job: Job) -> Made:
        threading.Event().wait(1.0)
        return Made(pa.table({"sum": [1]}), 1)

    output = Step(
        "emit", "x", last.work, (Step("slow", "slow", slow, last.after[0].after, "whole"),), "emit", place="sum"
    )
    run(Flow(flow.config, [output]), prefect=False, progress=Hear())
    assert heard.count("slow") > 3
