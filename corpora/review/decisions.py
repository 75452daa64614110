"""People's decisions on projected labels: an append-only file beside the data, and what it adds up to.

``decisions.jsonl`` is the only thing a review makes, and it is never rewritten: one JSON object a line, on the disk
before the call returns, several processes at a time. A line says all it needs to be understood alone (offsets in code
points, label, quote, digest of the text), so that it outlives the dataset it was made on: see ``review.applying``.
"""

import fcntl
import json
import os
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from spanferry.corpora.errors import InputError
from spanferry.corpora.files import sync_folder
from spanferry.corpora.schema import TEXT, Span

LOG = "decisions.jsonl"
# On a span: it is right as it stands; it is wrong; it belongs elsewhere; it has another label; it has no source span.
ON_SPAN = ("accept", "reject", "move", "label", "add")
# On a whole row: keep it with its spans, even if a filter rejected it; drop it.
ON_ROW = ("keep", "drop")
# What changes no label: seen and left, marked for another look, an earlier line taken back.
NOTES = ("skip", "flag", "unflag", "undo")
ACTIONS = (*ON_SPAN, *ON_ROW, *NOTES)

Key = tuple[str, str, str]  # corpus, split, example id


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a span shall be.

    Attributes:
        span: Id of the source span; of an added span an id that no source span has.
        field: Text field.
        start: First code point; None: there is no such span in the target.
        end: One past the last code point; None with ``start``.
        label: Its label.
        quote: ``text[start:end]``; of a rejected span what the projection covered.
        fragments: Parts of a discontinuous span.
        source_quote: What the source span covers; "" for an added one.
        was: The label before, where it was changed.
        method: Of the projection that was judged.
        score: Of the projection that was judged.
    """

    span: str
    field: str = TEXT
    start: int | None = None
    end: int | None = None
    label: str = ""
    quote: str = ""
    fragments: tuple[tuple[int, int], ...] = ()
    source_quote: str = ""
    was: str = ""
    method: str = ""
    score: float | None = None

    def as_span(self) -> Span | None:
        """The span, or None where there is none."""
        if self.start is None or self.end is None:
            return None
        return Span(self.start, self.end, self.label, self.span, self.field, self.fragments)


@dataclass(frozen=True, slots=True)
class Decision:
    """One line of the log.

    Attributes:
        id: Unique.
        corpus: Name of the dataset's folder, such as ``es``.
        split: Of the source row.
        example: Id of the example.
        action: One of ``ACTIONS``.
        verdicts: One for an action on a span; for ``keep`` one per span of the row; else none.
        texts: Digest of every target text by field, see ``text_digest``.
        signature: The choices that made the row.
        who: Who decided.
        when: UTC, ISO 8601.
        via: ``inspect``, ``bulk`` or ``import``.
        undoes: Id of the line that an ``undo`` takes back.
    """

    corpus: str
    split: str
    example: str
    action: str
    verdicts: tuple[Verdict, ...] = ()
    texts: dict[str, str] = field(default_factory=dict)
    signature: str = ""
    who: str = ""
    when: str = ""
    via: str = "inspect"
    undoes: str = ""
    id: str = ""

    @property
    def key(self) -> Key:
        """The example it is about."""
        return (self.corpus, self.split, self.example)

    def to_json(self) -> str:
        """One line, without its end; characters outside ASCII are escaped, so no text can break the line."""
        return json.dumps(_without_defaults(asdict(self), Decision), separators=(",", ":"))


def stamped(decision: dict[str, Any]) -> Decision:
    """A decision with a new id and the time of now."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Decision(**{**decision, "id": uuid.uuid4().hex, "when": now})


def text_digest(text: str) -> str:
    """16 hex digits that tell whether a text has changed."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def decision_from_json(line: str) -> Decision:
    """Reverse of ``Decision.to_json``. Keys that this version does not know are left alone, of verdicts too.

    Raises:
        ValueError: It is none; the message says why.
    """
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError("not a line of JSON") from error
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    if value.get("action") not in ACTIONS:
        raise ValueError(f"unknown action {value.get('action')!r:.40}")
    verdicts = value.pop("verdicts", [])
    if not isinstance(verdicts, list):
        raise ValueError("verdicts is not a list")
    texts = value.get("texts", {})
    if not isinstance(texts, dict) or not all(isinstance(digest, str) for digest in texts.values()):
        raise ValueError("texts is not an object of strings")
    known = _known(value, Decision, ("corpus", "split", "example", "action", "id"))
    return Decision(**known, verdicts=tuple(_verdict(v) for v in verdicts))


def _verdict(value: Any) -> Verdict:
    if not isinstance(value, dict):
        raise ValueError("a verdict is not an object")
    value = dict(value)
    parts = value.pop("fragments", [])
    if not isinstance(parts, list) or not all(isinstance(p, list) and len(p) == 2 for p in parts):
        raise ValueError("fragments is not a list of pairs")
    if not all(_is_count(edge) for part in parts for edge in part):
        raise ValueError("fragments does not hold whole numbers")
    known = _known(value, Verdict, ("span",))
    for name in ("start", "end"):
        if known.get(name) is not None and not _is_count(known[name]):
            raise ValueError(f"{name} is not a whole number")
    if (known.get("start") is None) != (known.get("end") is None):
        raise ValueError("start and end do not come together")
    score = known.get("score")
    if score is not None and (isinstance(score, bool) or not isinstance(score, int | float)):
        raise ValueError("score is not a number")
    return Verdict(**known, fragments=tuple((a, b) for a, b in parts))


def _known(value: dict[str, Any], cls: Any, needed: Sequence[str]) -> dict[str, Any]:
    """The values whose keys are fields of ``cls``; those that are strings there are checked."""
    known = {f.name: value[f.name] for f in fields(cls) if f.name in value}
    strings = [f.name for f in fields(cls) if f.type in ("str", str)]
    for name in strings:
        if name in known and not isinstance(known[name], str):
            raise ValueError(f"{name} is not a string")
    for name in needed:
        if not known.get(name) and not (name == "split" and name in known):
            raise ValueError(f"{name} is missing")
    return known


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


@dataclass(frozen=True, slots=True)
class Unread:
    """A line of the log that holds no decision that this version knows.

    Attributes:
        number: Of the line, counted from 1.
        reason: What is wrong with it.
        text: The line.
    """

    number: int
    reason: str
    text: str


class DecisionLog:
    """The file, and the decisions in it. Several processes may append at once; each sees the others' lines.

    Args:
        path: ``decisions.jsonl``; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.decisions: list[Decision] = []
        self.unread: list[Unread] = []
        self._read_to = 0
        self._lines = 0
        self.refresh()

    def refresh(self) -> list[Decision]:
        """Reads what has been appended since the last time; returns it."""
        try:
            with self.path.open("rb") as file:
                return self._catch_up(file)
        except FileNotFoundError:
            return []

    def append(self, make: Callable[[list[Decision]], Sequence[Decision]]) -> tuple[list[Decision], Sequence[Decision]]:
        """Appends what ``make`` returns, given what others have appended in the meantime; nobody writes in between.

        The lines are on the disk when this returns. Where ``make`` raises, nothing is written.

        Returns:
            What was new from others, and what was appended.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        created = not self.path.exists()
        with self.path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            fresh = self._catch_up(file)
            new = make(fresh)
            data = "".join(d.to_json() + "\n" for d in new).encode()
            end = file.seek(0, os.SEEK_END)
            # A line that a crash tore must not swallow the next one; it was never acknowledged.
            torn = end and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n"
            file.write(b"\n" + data if torn else data)
            file.flush()
            os.fsync(file.fileno())
            file.seek(self._read_to)
            self._catch_up(file)
        if created:
            sync_folder(self.path.parent)
        return fresh, new

    def _catch_up(self, file: Any) -> list[Decision]:
        file.seek(self._read_to)
        data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._read_to += len(whole)
        fresh = []
        for line in whole.split(b"\n")[:-1]:
            self._lines += 1
            if not line.strip():
                continue
            try:
                fresh.append(decision_from_json(line.decode("utf-8")))
            except ValueError as error:
                self.unread.append(Unread(self._lines, str(error), line.decode("utf-8", "replace")))
        self.decisions += fresh
        return fresh


@dataclass(slots=True)
class RowState:
    """What the decisions on one example add up to.

    Attributes:
        verdicts: The last decision on every span that has one, with its verdict, by span id.
        row: The last ``keep`` or ``drop``, or None.
        flagged: Whether it is marked for another look.
        skipped: Whether it was seen and left.
        version: How many lines there are on it, taken back or not: what a page must know to be up to date.
    """

    verdicts: dict[str, tuple[Decision, Verdict]] = field(default_factory=dict)
    row: Decision | None = None
    flagged: bool = False
    skipped: bool = False
    version: int = 0


def fold(decisions: Iterable[Decision]) -> RowState:
    """The state that the decisions on one example, in order, add up to. The last word on a span counts."""
    lines = list(decisions)
    undone = {d.undoes for d in lines if d.action == "undo"}
    state = RowState(version=len(lines))
    for decision in lines:
        if decision.id in undone:
            continue
        if decision.action in ("keep", "drop"):
            state.row = decision
        elif decision.action in ("flag", "unflag"):
            state.flagged = decision.action == "flag"
        elif decision.action == "skip":
            state.skipped = True
        for verdict in decision.verdicts:
            # A whole row is kept with the spans it had; what was said of one span before stays said.
            before = state.verdicts.get(verdict.span)
            if decision.action != "keep" or before is None or before[0].action == "keep":
                state.verdicts[verdict.span] = (decision, verdict)
    return state


def undoable(decisions: Sequence[Decision]) -> str | None:
    """The id of the last decision that has not been taken back."""
    undone = {d.undoes for d in decisions if d.action == "undo"}
    return next((d.id for d in reversed(decisions) if d.action != "undo" and d.id not in undone), None)


def by_example(decisions: Iterable[Decision]) -> dict[Key, list[Decision]]:
    """The decisions of each example, in order."""
    found: dict[Key, list[Decision]] = {}
    for decision in decisions:
        found.setdefault(decision.key, []).append(decision)
    return found


def require_log(path: Path) -> DecisionLog:
    """The log at ``path``.

    Raises:
        InputError: There is none.
    """
    if not path.is_file():
        raise InputError("no decisions yet", where=str(path), hint=f"spanferry inspect {path.parent}")
    return DecisionLog(path)


def _without_defaults(value: dict[str, Any], cls: Any) -> dict[str, Any]:
    """The same mapping without what a reader fills in again."""
    defaults = {f.name: f.default for f in fields(cls)}
    kept = {k: v for k, v in value.items() if v != defaults[k] and v not in ({}, [], ())}
    if "verdicts" in kept:
        kept["verdicts"] = [_without_defaults(v, Verdict) for v in kept["verdicts"]]
    return kept
