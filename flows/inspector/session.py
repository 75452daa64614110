"""The session at which rows are reviewed: what has been decided so far, and the one way to decide more.

Every decision is checked against the text it is about and against what others have decided in the meantime, and is on
the disk before ``decide`` returns. Several tabs, and several servers on one folder, work side by side.

Handlers run in threads of their own. What changes is private to the session and only touched under its lock; what its
methods return are copies, which no later decision changes.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from spanferry.corpora.errors import OutputError
from spanferry.corpora.review.applying import Stale, key_of, review_row, state_of, target_digests
from spanferry.corpora.review.decisions import Decision, DecisionLog, Key, RowState, Unread, Verdict, stamped
from spanferry.corpora.schema import Pair
from spanferry.flows.inspector.edits import Conflict, Edit, Refused, verdicts_of
from spanferry.flows.inspector.query import Query
from spanferry.flows.inspector.row_index import RowIndex
from spanferry.flows.inspector.runs import Corpus

BULK_LIMIT = 20_000
OPEN, PARTLY, ACCEPTED, CORRECTED, DROPPED, SKIPPED = range(6)
NAMES = ("open", "partly", "accepted", "corrected", "dropped", "skipped")


class ReviewSession:
    """Decisions on the rows of a row_index.

    Args:
        corpora: The datasets.
        who: Stands in every decision.
    """

    def __init__(self, corpora: Sequence[Corpus], who: str) -> None:
        self.all_corpora, self.who = list(corpora), who
        self._lock = threading.RLock()
        self._logs = {path: DecisionLog(path) for path in sorted({c.log for c in corpora})}
        self._open()

    def _open(self) -> None:
        self.row_index = RowIndex(self.all_corpora)
        self._lines: dict[Key, list[Decision]] = {}
        self._place: dict[str, Key] = {}
        self._touched: set[int] = set()  # rows that were decided on here
        self._status: np.ndarray | None = None
        self._flagged = np.zeros(0, bool)
        self._stale: dict[int, tuple[Stale, ...]] = {}
        for path, log in self._logs.items():
            self._take(self._full(path, d) for d in log.decisions)

    def refresh(self) -> None:
        """Takes in what other processes have decided, and datasets that were written anew."""
        with self._lock:
            if not self.row_index.current:
                self._open()
            for path, log in self._logs.items():
                self._changed(self._take(self._full(path, d) for d in log.refresh()))

    # Decisions of several runs share a session, so their datasets go by their whole name here.

    def _full(self, path: Path, decision: Decision) -> tuple[Key, Decision]:
        name = next((c.name for c in self.all_corpora if c.log == path and c.key == decision.corpus), "")
        return (name or f"{path.parent}/{decision.corpus}", decision.split, decision.example), decision

    def _take(self, found: Iterable[tuple[Key, Decision]]) -> set[Key]:
        keys = set()
        for key, decision in found:
            self._lines.setdefault(key, []).append(decision)
            self._place[decision.id] = key
            keys.add(key)
        return keys

    # How rows stand

    def key(self, row: int, pair: Pair) -> Key:
        """What the session knows a row by."""
        return key_of(pair, self.row_index.corpus(row).name)

    def state(self, row: int, pair: Pair) -> RowState:
        """What the decisions on a row add up to."""
        lines = self.lines_of(row, pair)
        return state_of(lines, pair, twin=bool(lines) and self.row_index.twin(row))

    def lines_of(self, row: int, pair: Pair) -> list[Decision]:
        """The decisions on a row's example, in order; a copy."""
        with self._lock:
            return list(self._lines.get(self.key(row, pair), ()))

    def lines(self) -> dict[Key, list[Decision]]:
        """The decisions on every example, in order; a copy."""
        with self._lock:
            return {key: list(found) for key, found in self._lines.items()}

    def last_own(self) -> str | None:
        """The id of the last decision of this person on any row that has not been taken back."""
        with self._lock:
            found = []
            for log in self._logs.values():
                undone = set()
                for decision in reversed(log.decisions):
                    if decision.action == "undo":
                        undone.add(decision.undoes)
                    elif decision.who == self.who and decision.via == "inspect" and decision.id not in undone:
                        found.append(decision)
                        break
            return max(found, key=lambda d: d.when).id if found else None

    @property
    def logs(self) -> list[Path]:
        """The files of decisions."""
        return list(self._logs)

    def unread(self) -> dict[Path, list[Unread]]:
        """The lines of each file that can't be read."""
        with self._lock:
            return {path: list(log.unread) for path, log in self._logs.items() if log.unread}

    @property
    def status(self) -> np.ndarray:
        """How every row stands: uint8 (n_rows,), the numbers of ``NAMES``. Waits for the index."""
        with self._lock:
            if self._status is None:
                self._status = np.zeros(self.row_index.rows, np.uint8)
                self._flagged = np.zeros(self.row_index.rows, bool)
                self._changed(set(self._lines))
            return self._status.copy()

    @property
    def flagged(self) -> np.ndarray:
        """Whether a row is marked for another look: bool (n_rows,)."""
        with self._lock:
            _ = self.status
            return self._flagged.copy()

    def _changed(self, keys: set[Key]) -> None:
        """Brings up to date how the rows of some examples stand; looks for them in the index."""
        if self._status is None or not keys:
            return
        for number, corpus in enumerate(self.row_index.corpora):
            own = {(split, name) for corpus_name, split, name in keys if corpus_name == corpus.name}
            for found, rows in self.row_index.rows_of(number, sorted({n for _, n in own})).items() if own else ():
                for row in rows if found in own else ():
                    self._judge(row)

    def _judge(self, row: int) -> None:
        if self._status is None:
            return
        pair = self.row_index.pair(row)
        state = self.state(row, pair)
        self._status[row] = status_of(pair, state)
        self._flagged[row] = state.flagged
        self._stale.pop(row, None)
        if stale := review_row(pair, state).stale:
            self._stale[row] = stale

    def rows(self, query: Query, wait: float | None = None) -> np.ndarray:
        """The rows that a query asks for, in order: uint32 (n_found,).

        Raises:
            NotReady: The index is not there in ``wait`` seconds, and is needed.
        """
        # Waits outside the lock: nobody else must wait with us.
        order = self.row_index.order(query, wait)
        return order[self.mask(query.review, order)] if query.review else order

    def mask(self, review: str, rows: np.ndarray) -> np.ndarray:
        """Which of ``rows`` stand as ``review`` says: bool (n_rows,)."""
        with self._lock:
            status, stale = self.status[rows], list(self._stale)
            flagged: np.ndarray = self._flagged[rows]
        if review == "flagged":
            return flagged
        if review == "stale":
            return np.isin(rows, stale)
        if review == "reviewed":
            return np.isin(status, (ACCEPTED, CORRECTED, DROPPED))
        result: np.ndarray = status == NAMES.index(review)
        return result

    def beside(self, query: Query, row: int) -> tuple[int | None, int | None, int, int]:
        """(row before, row after, place counted from 1, number of rows) within a query; 0 where it is not in it.

        A row that has been decided on since may not fit the query any more; it keeps its neighbours all the same, and
        is itself the row before the next one.
        """
        order = self.row_index.order(query)
        at = np.flatnonzero(order == row)
        if not len(at):
            return None, (int(order[0]) if len(order) else None), 0, len(order)
        here = int(at[0])
        before, after = order[:here], order[here + 1 :]
        back = before
        if query.review:
            # What has just been decided has left the filter, and can be gone back to all the same.
            fits = self.mask(query.review, before)
            with self._lock:
                touched = np.isin(before, list(self._touched))
            back = before if query.review == "open" else before[fits | touched]
            before, after = before[fits], after[self.mask(query.review, after)]
        return (
            int(back[-1]) if len(back) else None,
            int(after[0]) if len(after) else None,
            len(before) + 1,
            len(before) + 1 + len(after),
        )

    def stale(self) -> list[tuple[int, Stale]]:
        """Every decision that does not fit its row any more."""
        with self._lock:
            _ = self.status
            return [(row, stale) for row in sorted(self._stale) for stale in self._stale[row]]

    def lost(self) -> list[tuple[Key, Decision]]:
        """Decisions on examples that are no longer there."""
        there: set[Key] = set()
        decided = self.lines()
        for number, corpus in enumerate(self.row_index.corpora):
            names = sorted({name for corpus_name, _, name in decided if corpus_name == corpus.name})
            if names:
                there |= {(corpus.name, *found) for found in self.row_index.rows_of(number, names)}
        return [(key, d) for key, lines in decided.items() if key not in there for d in lines]

    # Deciding

    def decide(self, row: int, version: int, dataset: str, edit: Edit) -> Decision:
        """Puts one decision on the disk.

        Args:
            row: The row.
            version: ``RowState.version`` that the page knows.
            dataset: ``EmittedDataset.version`` that the page knows.
            edit: What is asked for.

        Raises:
            Conflict: The dataset or the row's decisions have changed since, or the text is not what the page shows.
            Refused: No such span, label, place …
        """
        with self._lock:
            self._check_dataset(row, dataset)
            pair = self.row_index.pair(row)

            def make() -> Sequence[Decision]:
                state = self.state(row, pair)
                if state.version != version:
                    raise Conflict("this row has been decided on elsewhere since the page was loaded")
                return [self._decision(row, pair, edit.action, verdicts_of(pair, state, edit))]

            return self._append(row, make)[0]

    def undo(self, decision_id: str) -> tuple[int, Decision]:
        """Takes one decision back; returns the row it was on, and the line that says so.

        Raises:
            Refused: There is no such decision, it has already been undone, or its row is gone.
        """
        with self._lock:
            key = self._place.get(decision_id)
            if key is None:
                raise Refused("there is no such decision")
            names = [c.name for c in self.row_index.corpora]
            rows = self.row_index.rows_of(names.index(key[0]), [key[2]]).get(key[1:], []) if key[0] in names else []
            if not rows:
                raise Refused("its row is no longer in the dataset")
            lines = self._lines[key]
            before = next(d for d in lines if d.id == decision_id)
            row = next((r for r in rows if target_digests(self.row_index.pair(r)) == before.texts), rows[0])

            def make() -> Sequence[Decision]:
                if before.action == "undo" or any(d.undoes == decision_id for d in self._lines[key]):
                    raise Refused("it has already been undone")
                values = {"corpus": before.corpus, "split": before.split, "example": before.example}
                return [stamped({**values, "action": "undo", "undoes": decision_id, "who": self.who})]

            return row, self._append(row, make)[0]

    def bulk(self, query: Query, count: int) -> int:
        """Accepts every row of a query that nobody has decided on; returns how many.

        Raises:
            Conflict: They are not ``count`` rows.
            Refused: They are too many, or none.
        """
        with self._lock:
            self.refresh()
            rows = self.untouched(query)
            if len(rows) != count:
                raise Conflict(f"these are {len(rows):,} rows by now, not {count:,}")
            if not 0 < count <= BULK_LIMIT:
                raise Refused(f"{count:,} rows at once; at most {BULK_LIMIT:,}, so narrow the filter")
            for path in self._logs:
                own = [int(r) for r in rows if self.row_index.corpus(int(r)).log == path]
                made = [self._kept(row) for row in own]
                if made:
                    self._write(path, own, lambda made=made: made)  # type: ignore[misc]
            return count

    def untouched(self, query: Query) -> np.ndarray:
        """The rows of a query that have a translation and that nobody has decided on."""
        found = self.rows(query)
        with self._lock:
            open_rows = found[(self.status[found] == OPEN) & ~self._flagged[found]]
        result: np.ndarray = open_rows[self.row_index.frame()["translated"].gather(open_rows).to_numpy()]
        return result

    def _kept(self, row: int) -> Decision:
        pair = self.row_index.pair(row)
        verdicts = verdicts_of(pair, self.state(row, pair), Edit("keep"))
        return self._decision(row, pair, "keep", verdicts, via="bulk")

    def _decision(
        self, row: int, pair: Pair, action: str, verdicts: tuple[Verdict, ...], via: str = "inspect"
    ) -> Decision:
        return stamped(
            {
                "corpus": self.row_index.corpus(row).key,
                "split": pair.source.split,
                "example": pair.source.id,
                "action": action,
                "verdicts": verdicts,
                "texts": target_digests(pair),
                "signature": pair.signature,
                "who": self.who,
                "via": via,
            }
        )

    def _check_dataset(self, row: int, dataset: str) -> None:
        if not self.row_index.current or self.row_index.data[self.row_index.locate(row)[0]].version != dataset:
            raise Conflict("the dataset has been rewritten since the page was loaded")

    def _append(self, row: int, make: Callable[[], Sequence[Decision]]) -> Sequence[Decision]:
        return self._write(self.row_index.corpus(row).log, [row], make)

    def _write(self, path: Path, rows: Sequence[int], make: Callable[[], Sequence[Decision]]) -> Sequence[Decision]:
        """Appends decisions on ``rows``; looking those up again in a million takes longer than writing."""
        log = self._logs[path]

        def checked(fresh: list[Decision]) -> Sequence[Decision]:
            self._changed(self._take(self._full(path, d) for d in fresh))
            return make()

        try:
            _, new = log.append(checked)
        except OSError as error:
            hint = "nothing was decided; make room, or check who may write there"
            raise OutputError(f"can't write the decision: {error.strerror}", where=str(path), hint=hint) from error
        keys = self._take(self._full(path, d) for d in new)
        self._touched.update(rows)
        if self._status is not None and any(self.row_index.twin(row) for row in rows):
            self._changed(keys)
        else:
            for row in rows:
                self._judge(row)
        return new


def status_of(pair: Pair, state: RowState) -> int:
    """How a row stands: a number of ``NAMES``."""
    if state.row is not None and state.row.action == "drop":
        return DROPPED
    sources = {span.id for span in pair.source.spans}
    judged = sources & set(state.verdicts)
    if judged == sources and (sources or state.row is not None):
        changed = any(d.action not in ("accept", "keep") for d, _ in state.verdicts.values())
        return CORRECTED if changed else ACCEPTED
    if state.verdicts:
        return PARTLY
    return SKIPPED if state.skipped else OPEN
