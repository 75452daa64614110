"""The log of decisions: appended, never lost, never corrupt; and what it adds up to."""

import json
import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from spanferry.corpora.errors import InputError
from spanferry.corpora.review.decisions import (
    Decision,
    DecisionLog,
    Verdict,
    by_example,
    decision_from_json,
    fold,
    require_log,
    stamped,
)

ODD = 'a\u2028"\n\r\0\u202e😀é'


def _accept(example: str = "e1", span: str = "s0", **more: object) -> Decision:
    verdict = Verdict(span, start=1, end=3, label="city", quote="bc")
    values = {"corpus": "es", "split": "train", "example": example, "action": "accept", "verdicts": (verdict,)}
    return stamped({**values, **more})


def test_a_line_is_read_back_whatever_it_holds() -> None:
    verdict = Verdict(ODD, ODD, 0, 9, ODD, ODD, ((0, 2), (4, 9)), ODD, ODD, "copy", 0.25)
    decision = Decision(
        "es", "train", ODD, "move", (verdict,), {"text": "ab"}, ODD, ODD, "2026-01-01Z", "bulk", "", "7"
    )
    line = decision.to_json()
    assert "\n" not in line and line.isascii()
    assert decision_from_json(line) == decision


@pytest.mark.parametrize("line", ["", "{", "[]", "{}", '{"id":"1","action":"steal"}', '{"id":"1","action":"accept"}'])
def test_what_is_no_decision(line: str) -> None:
    with pytest.raises(ValueError):
        decision_from_json(line)


def test_two_logs_on_one_file_see_each_other(tmp_path: Path) -> None:
    one, two = DecisionLog(tmp_path / "decisions.jsonl"), DecisionLog(tmp_path / "decisions.jsonl")
    first, second = _accept("a"), _accept("b")
    one.append(lambda fresh: [first])
    fresh, _ = two.append(lambda fresh: [second] if fresh == [first] else [])
    assert fresh == [first]
    assert one.refresh() == [second] and one.refresh() == []
    assert one.decisions == two.decisions == DecisionLog(one.path).decisions == [first, second]


def test_nothing_is_written_where_the_check_fails(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "decisions.jsonl")
    log.append(lambda fresh: [_accept()])
    before = log.path.read_bytes()

    def refuse(fresh: list[Decision]) -> list[Decision]:
        raise KeyError("stale")

    with pytest.raises(KeyError):
        log.append(refuse)
    assert log.path.read_bytes() == before


def test_a_torn_line_swallows_nothing(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "decisions.jsonl")
    first, second = _accept("a"), _accept("b")
    log.append(lambda fresh: [first])
    with log.path.open("ab") as file:
        file.write(second.to_json().encode()[:40])
    again = DecisionLog(log.path)
    assert again.decisions == [first]
    again.append(lambda fresh: [second])
    assert DecisionLog(log.path).decisions == [first, second]
    assert [line.number for line in DecisionLog(log.path).unread] == [2]


def _append_many(path: Path, name: str, count: int) -> None:
    log = DecisionLog(path)
    for i in range(count):
        log.append(lambda fresh, i=i: [_accept(f"{name}-{i}")])  # type: ignore[misc]


def test_processes_at_a_time_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    workers = [multiprocessing.get_context("spawn").Process(target=_append_many, args=(path, n, 40)) for n in "abc"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    log = DecisionLog(path)
    assert not log.unread
    for name in "abc":
        assert [d.example for d in log.decisions if d.example.startswith(name)] == [f"{name}-{i}" for i in range(40)]


def _append_and_tell(path: Path, pipe: object) -> None:
    log = DecisionLog(path)
    for i in range(100_000):
        log.append(lambda fresh, i=i: [_accept(f"x-{i}")])  # type: ignore[misc]
        os.write(pipe, b".")  # type: ignore[arg-type]


def test_a_killed_process_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    read, write = os.pipe()
    child = os.fork()
    if not child:
        _append_and_tell(path, write)
    reported = 0
    while reported < 30:
        reported += len(os.read(read, 100))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(write)
    reported += len(os.read(read, 100_000))
    found = [d.example for d in DecisionLog(path).decisions]
    assert found == [f"x-{i}" for i in range(len(found))] and len(found) >= reported


def test_the_last_word_on_a_span_counts_and_undo_takes_it_back() -> None:
    accept = _accept()
    moved = _accept(action="move", verdicts=(Verdict("s0", start=1, end=4, label="city", quote="bcd"),))
    undo = _accept(action="undo", verdicts=(), undoes=moved.id)
    assert fold([accept, moved]).verdicts["s0"][1].end == 4
    state = fold([accept, moved, undo])
    assert state.verdicts["s0"] == (accept, accept.verdicts[0]) and state.version == 3


def test_keeping_a_row_does_not_overrule_what_was_said_of_a_span() -> None:
    reject = _accept(action="reject")
    both = (Verdict("s0", start=1, end=3, quote="bc"), Verdict("s1", start=5, end=6, quote="f"))
    keep = _accept(action="keep", verdicts=both)
    state = fold([reject, keep])
    assert state.row == keep
    assert {name: d.action for name, (d, _) in state.verdicts.items()} == {"s0": "reject", "s1": "keep"}
    later = fold([reject, keep, _accept(span="s1", verdicts=(both[1],), action="reject")])
    assert later.verdicts["s1"][0].action == "reject"


def test_flags_and_skips() -> None:
    flag, unflag, skip = (_accept(action=a, verdicts=()) for a in ("flag", "unflag", "skip"))
    assert fold([flag]).flagged and not fold([flag, unflag]).flagged
    assert fold([skip]).skipped and not fold([skip]).verdicts
    assert not fold([flag, _accept(action="undo", verdicts=(), undoes=flag.id)]).flagged


def test_grouped_by_example() -> None:
    lines = [_accept("a"), _accept("b"), _accept("a", corpus="de")]
    assert {k: len(v) for k, v in by_example(lines).items()} == {
        ("es", "train", "a"): 1,
        ("es", "train", "b"): 1,
        ("de", "train", "a"): 1,
    }


def test_no_log_is_an_error_that_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Hint: spanferry inspect"):
        require_log(tmp_path / "decisions.jsonl")


def test_unknown_keys_of_a_later_version_are_left_alone() -> None:
    line = json.dumps({**json.loads(_accept().to_json()), "mood": "good"})
    assert decision_from_json(line).action == "accept"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"action": "merge"}, "unknown action 'merge'"),
        ({"verdicts": [5]}, "a verdict is not an object"),
        ({"verdicts": {}}, "verdicts is not a list"),
        ({"verdicts": [{"span": "s0", "start": 1.5, "end": 2}]}, "start is not a whole number"),
        ({"verdicts": [{"span": "s0", "start": True, "end": 2}]}, "start is not a whole number"),
        ({"verdicts": [{"span": "s0", "start": 1}]}, "start and end do not come together"),
        ({"verdicts": [{"span": "s0", "fragments": [1, 2]}]}, "fragments is not a list of pairs"),
        ({"verdicts": [{"span": "s0", "fragments": [["a", "b"]]}]}, "fragments does not hold whole numbers"),
        ({"verdicts": [{"label": "x"}]}, "span is missing"),
        ({"example": 7}, "example is not a string"),
        ({"texts": {"text": 1}}, "texts is not an object of strings"),
        ({"id": ""}, "id is missing"),
    ],
)
def test_a_line_that_is_not_understood_is_listed_and_the_others_count(
    change: dict[str, object], reason: str, tmp_path: Path
) -> None:
    path, good = tmp_path / "decisions.jsonl", _accept()
    line = json.dumps({**json.loads(good.to_json()), **change})
    path.write_bytes(f"{line}\n{good.to_json()}\n".encode() + b"\xff\n" + b"[" * 100_000 + b"\n")
    log = DecisionLog(path)
    assert log.decisions == [good]
    assert [found.number for found in log.unread] == [1, 3, 4]
    assert log.unread[0].reason == reason and log.unread[0].text == line


def test_unknown_keys_of_a_verdict_are_left_alone() -> None:
    line = json.loads(_accept().to_json())
    line["verdicts"][0]["mood"] = "good"
    assert decision_from_json(json.dumps(line)).verdicts == _accept().verdicts
