"""Emitted datasets read back as the pairs they were written from."""

import json
import struct
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from spanferry.corpora.errors import InputError
from spanferry.corpora.schema import Example, Pair, Projection, Span
from spanferry.corpora.stored.emitted import EmittedDataset
from spanferry.corpora.writers import open_writer
from tests.corpora.writer_rows import failed, pair


def _no_text() -> pa.StringArray:
    """A text whose bytes are not UTF-8, which only a full validation sees."""
    return pa.StringArray.from_buffers(1, pa.py_buffer(struct.pack("<ii", 0, 3)), pa.py_buffer(b"\xff\xfe\xff"))


def _read(folder: Path) -> list[Pair]:
    return [row for batch in EmittedDataset(folder).pairs() for row in batch]


def test_rows_come_back_split_by_split(tmp_path: Path) -> None:
    rows = [pair(0), pair(1, split="test"), pair(2, kept=False), failed(3)]
    open_writer("arrow").write([rows], tmp_path)
    found = _read(tmp_path)
    assert found == rows
    data = EmittedDataset(tmp_path)
    assert data.rows == 4 and [data.pair(i) for i in range(4)] == rows
    assert [row["id"] for row in data.pick([3, 0])] == ["ex-3", "ex-0"]


def test_fields_that_are_called_like_columns_and_classes(tmp_path: Path) -> None:
    texts = {"question": "Who?", "label": "Ann did.", "spans": "x"}
    spans = (Span(0, 3, "PER", "s0", "label"), Span(0, 6, "ALL", "s1", "label", fragments=((0, 3), (4, 6))))
    source = Example("q1", "en", texts, spans, label="quiz")
    target = replace(source, lang="es", texts={"question": "¿Quién?", "label": "Ana fue.", "spans": "x"})
    made = Pair(source, target, tuple(Projection(s.id, s, 0.5, "copy") for s in spans), {"a": 1.0}, signature="s")
    open_writer("arrow", {"class_label": True}).write([[made]], tmp_path)
    assert _read(tmp_path) == [made]


def test_tags_beside_the_spans_do_no_harm(tmp_path: Path) -> None:
    rows = [pair(0), pair(1)]
    open_writer("arrow", {"tags": True}).write([rows], tmp_path)
    assert _read(tmp_path) == rows


def test_the_version_follows_from_the_content(tmp_path: Path) -> None:
    versions = []
    for name, rows in {"a": [pair(0)], "b": [pair(1)], "c": [pair(0)]}.items():
        open_writer("arrow").write([rows], tmp_path / name)
        versions.append(EmittedDataset(tmp_path / name).version)
    assert versions[0] == versions[2] != versions[1]


@pytest.mark.parametrize("number", [-1, 1])
def test_no_such_row(number: int, tmp_path: Path) -> None:
    open_writer("arrow").write([[pair(0)]], tmp_path)
    with pytest.raises(IndexError):
        EmittedDataset(tmp_path).pair(number)


def test_what_is_no_dataset_or_a_broken_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a dataset that Spanferry wrote"):
        EmittedDataset(tmp_path)
    open_writer("arrow").write([[pair(0)]], tmp_path)
    (path,) = (tmp_path / "train").glob("*.arrow")
    path.write_bytes(b"x" * 100)
    with pytest.raises(InputError, match="not as it was written"):
        EmittedDataset(tmp_path)
    (tmp_path / "SHA256SUMS").unlink()
    with pytest.raises(InputError, match="not an Arrow stream"):
        EmittedDataset(tmp_path)


def test_a_dataset_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "dataset_dict.json").write_text(json.dumps({"splits": ["train"]}))
    (tmp_path / "train").mkdir()
    table = pa.table({"id": ["1"], "text": ["x"]})
    path = tmp_path / "train" / "data-00000-of-00001.arrow"
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    with pytest.raises(InputError, match="has no column 'lang'"):
        EmittedDataset(tmp_path)


def _rewritten(folder: Path, column: str, values: pa.Array) -> None:
    """Replaces a column in the file of the split ``train``; the checksums go, as a stranger would have it."""
    path = folder / "train" / "data-00000-of-00001.arrow"
    table = pa.ipc.open_stream(path.read_bytes()).read_all()
    table = table.set_column(table.schema.get_field_index(column), column, values)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    (folder / "SHA256SUMS").unlink()


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("id", pa.array([5]), "the column 'id' is not text"),
        ("meta", pa.array(["{"]), "a row is not one that Spanferry wrote"),
        ("meta", pa.array(["[" * 100_000]), "a row is not one that Spanferry wrote"),
        ("reasons", pa.array([7]), "a row is not one that Spanferry wrote"),
        ("id", _no_text(), "not an Arrow stream"),
    ],
)
def test_a_dataset_from_elsewhere_is_an_error_with_its_name(
    column: str, values: pa.Array, message: str, tmp_path: Path
) -> None:
    open_writer("arrow").write([[pair(0)]], tmp_path)
    _rewritten(tmp_path, column, values)
    with pytest.raises(InputError, match=message) as caught:
        _read(tmp_path)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("splits", [["../elsewhere"], [5], "train/..", {"train": 1, "..": 2}, None])
def test_splits_do_not_lead_out_of_the_folder(splits: object, tmp_path: Path) -> None:
    open_writer("arrow").write([[pair(0)]], tmp_path / "a")
    open_writer("arrow").write([[pair(0)]], tmp_path / "elsewhere")
    (tmp_path / "a" / "dataset_dict.json").write_text(json.dumps({"splits": splits}))
    (tmp_path / "a" / "SHA256SUMS").unlink()
    with pytest.raises(InputError, match="not a dataset that Spanferry wrote"):
        EmittedDataset(tmp_path / "a")
