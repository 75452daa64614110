"""All rows of all datasets under one roof: numbered through, filtered and sorted without loading a text."""

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from spanferry.corpora.schema import Pair
from spanferry.corpora.stored.emitted import EmittedDataset, text_columns
from spanferry.flows.inspector.index import load_index
from spanferry.flows.inspector.query import Query
from spanferry.flows.inspector.runs import Corpus

_REMEMBERED = 8  # orders of rows, 4 bytes a row each


class NotReady(Exception):
    """The index is still being made.

    Attributes:
        share: How much of it is done.
    """

    def __init__(self, share: float) -> None:
        self.share = share
        super().__init__(share)


class RowIndex:
    """The rows of several datasets as one table. Datasets are opened at once, their index in the background.

    Args:
        corpora: The datasets; outcomes of reviews are left out.
    """

    def __init__(self, corpora: Sequence[Corpus]) -> None:
        self.corpora = [c for c in corpora if not c.reviewed]
        self.states = [c.state for c in self.corpora]
        self.data: list[EmittedDataset] = [c.open() for c in self.corpora]
        self.firsts = [0]
        for data in self.data:
            self.firsts.append(self.firsts[-1] + data.rows)
        self.rows = self.firsts[-1]
        self._progress = 0.0
        self._frame: pl.DataFrame | None = None
        self._error: BaseException | None = None
        self._ready = threading.Event()
        self._orders: OrderedDict[Query, np.ndarray] = OrderedDict()
        self._labels: dict[int, list[str]] = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._load, daemon=True).start()

    @property
    def current(self) -> bool:
        """Whether the datasets are still those that were opened."""
        try:
            return [c.state for c in self.corpora] == self.states
        except OSError:
            return False

    def _load(self) -> None:
        try:
            frames = []
            for number, (corpus, data) in enumerate(zip(self.corpora, self.data, strict=True)):

                def tell(share: float, number: int = number) -> None:
                    self._progress = (number + share) / len(self.corpora)

                frame = load_index(data, corpus.key, tell)
                usual = frame["lang"].drop_nulls().mode() if frame.height else pl.Series([corpus.key])
                # A row without a translation has no language of its own; it is looked for among those that have one.
                lang = str(usual[0]) if len(usual) else corpus.key
                frames.append(
                    frame.with_columns(
                        pl.col("lang").fill_null(lang), corpus=pl.lit(corpus.name).cast(pl.Categorical())
                    )
                )
            self._frame = pl.concat(frames)
            self._ready.set()
            _ = self.facets  # the first page with an index needs them
        except BaseException as error:
            self._error = error
        finally:
            self._ready.set()

    def frame(self, wait: float | None = None) -> pl.DataFrame:
        """The index of all rows.

        Args:
            wait: Seconds to wait for it; None: until it is there.

        Raises:
            NotReady: It is not there in that time.
        """
        if not self._ready.wait(wait):
            raise NotReady(self._progress)
        if self._frame is None:
            assert self._error is not None
            raise self._error
        return self._frame

    @property
    def ready(self) -> bool:
        """Whether the index is there."""
        return self._frame is not None

    def locate(self, row: int) -> tuple[int, int]:
        """(number of the dataset, row in it).

        Raises:
            IndexError: There is no such row.
        """
        if not 0 <= row < self.rows:
            raise IndexError(row)
        number = bisect_right(self.firsts, row) - 1
        return number, row - self.firsts[number]

    def corpus(self, row: int) -> Corpus:
        """The dataset of a row."""
        return self.corpora[self.locate(row)[0]]

    def pair(self, row: int) -> Pair:
        """The row as a pair."""
        number, local = self.locate(row)
        return self.data[number].pair(local)

    def twin(self, row: int) -> bool:
        """Whether another row of the dataset has the same split and id."""
        return bool(self.frame()["twin"][row])

    def order(self, query: Query, wait: float | None = None) -> np.ndarray:
        """The numbers of the rows that a query asks for, in its order, whatever their review: uint32 (n_found,).

        Raises:
            NotReady: See ``frame``.
        """
        static = replace(query, review="")
        if static.plain:
            return self._all
        with self._lock:
            if static in self._orders:
                self._orders.move_to_end(static)
                return self._orders[static]
        found = self._search(static, self.frame(wait))
        with self._lock:
            self._orders[static] = found
            while len(self._orders) > _REMEMBERED:
                self._orders.popitem(last=False)
        return found

    @cached_property
    def _all(self) -> np.ndarray:
        return np.arange(self.rows, dtype=np.uint32)

    def _search(self, query: Query, frame: pl.DataFrame) -> np.ndarray:
        found = frame.with_row_index("row").lazy().filter(query.condition()).select("row").collect()["row"].to_numpy()
        if query.text:
            found = found[np.isin(found, self._holding(query.text))]
        if query.sort == "order":
            return found
        # Equal ones stay in the order of the data, rows without a score come last: nothing is left to chance.
        if query.sort == "id":
            result: np.ndarray = found[frame["id"].gather(found).arg_sort().to_numpy()]
            return result
        scores = frame["score"].gather(found).cast(pl.Float32).to_numpy()
        return found[np.argsort(-scores if query.sort == "-score" else scores, kind="stable")]

    def _holding(self, text: str) -> np.ndarray:
        """The rows with ``text`` in a text of either side: uint32 (n_found,). Reads the mapped files, keeps nothing."""
        found = []
        for first, data in zip(self.firsts, self.data, strict=False):
            for part in data.parts:
                at = first + part.first
                for batch in part.batches:
                    found.append(at + np.flatnonzero(_holds(batch, text)))
                    at += batch.num_rows
        return np.concatenate([np.zeros(0, np.int64), *found]).astype(np.uint32)

    def labels(self, corpus: int) -> list[str]:
        """The labels of one dataset, most frequent first. Waits for the index."""
        with self._lock:
            if corpus in self._labels:
                return self._labels[corpus]
        first, last = self.firsts[corpus], self.firsts[corpus + 1]
        names = [name for name, _ in _counted(self.frame()["labels"].slice(first, last - first).explode())]
        with self._lock:
            self._labels[corpus] = names
        return names

    @cached_property
    def facets(self) -> dict[str, list[tuple[str, int]]]:
        """The values of each column that can be chosen, with the number of rows, most frequent first."""
        frame = self.frame()
        found: dict[str, list[tuple[str, int]]] = {}
        for name, column in (("lang", "lang"), ("corpus", "corpus")):
            found[name] = _counted(frame[column])
        for name, column in (("label", "labels"), ("method", "methods"), ("reason", "reasons")):
            found[name] = _counted(frame[column].explode())
        return found

    def rows_of(self, corpus: int, ids: Sequence[str]) -> dict[tuple[str, str], list[int]]:
        """The rows of examples, by split and id."""
        frame = self.frame()
        first, last = self.firsts[corpus], self.firsts[corpus + 1]
        part = frame.slice(first, last - first).select("id", "split").with_row_index("row", offset=first)
        found: dict[tuple[str, str], list[int]] = {}
        for row, name, split in part.filter(pl.col("id").is_in(list(ids))).iter_rows():
            found.setdefault((split, name), []).append(row)
        return found

    def facts(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        """What the index says of rows."""
        return self.frame()[list(rows)].to_dicts() if len(rows) else []


def _holds(batch: pa.RecordBatch, text: str) -> np.ndarray:
    """Which rows of a batch have ``text`` in a text: bool (n_rows,)."""
    columns = [batch.column(name) for name in text_columns(batch.schema.names)]
    if "source" in batch.schema.names and pa.types.is_struct(batch.schema.field("source").type):
        source = batch.column("source")
        columns += [pc.struct_field(source, name) for name in text_columns([f.name for f in source.type])]
    holds = np.zeros(batch.num_rows, bool)
    for column in columns:
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            matched = pc.fill_null(pc.match_substring(column, text, ignore_case=True), False)
            holds |= matched.to_numpy(zero_copy_only=False)
    return holds


def _counted(values: pl.Series) -> list[tuple[str, int]]:
    counts = values.drop_nulls().cast(pl.String).rename("name").value_counts(name="count")
    return [(n, c) for n, c in counts.sort(["count", "name"], descending=[True, False]).iter_rows()]
