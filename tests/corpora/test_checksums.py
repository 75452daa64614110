"""Checksums of outputs: written by every writer, checked where data is read."""

import hashlib
import os

import pytest

from spanferry.corpora.checksums import SUMS, changed_files, check_data, read_sums
from spanferry.corpora.errors import InputError
from spanferry.corpora.readers import open_reader
from spanferry.corpora.stored.emitted import EmittedDataset
from spanferry.corpora.writers import WRITERS, open_writer, writer_options
from tests.corpora.writer_rows import failed, pair


def written(folder, name):
    options = {"allow_loss": True} if "allow_loss" in writer_options(name) else {}
    return open_writer(name, options).write([[pair(0), pair(1, split="test"), failed()]], folder)


@pytest.mark.parametrize("name", WRITERS)
def test_every_file_of_every_writer_has_one(tmp_path, name):
    report = written(tmp_path, name)
    sums = read_sums(tmp_path)
    assert sorted(sums) == sorted(report.files) and list(changed_files(tmp_path)) == []
    assert all(hashlib.sha256((tmp_path / n).read_bytes()).hexdigest() == digest for n, digest in sums.items())


@pytest.mark.parametrize("name", ["arrow", "parquet"])
@pytest.mark.parametrize("how", ["a byte", "cut", "gone"])
def test_what_is_not_as_it_was_written_is_not_read(tmp_path, name, how):
    written(tmp_path, name)
    path = sorted(tmp_path.rglob("data-*.arrow" if name == "arrow" else "*.parquet"))[-1]
    data = bytearray(path.read_bytes())
    if how == "gone":
        path.unlink()
    else:
        data[len(data) // 2] ^= 1
        path.write_bytes(data if how == "a byte" else data[:-9])
    what = "the file is missing" if how == "gone" else "the file is not as it was written"
    opened = [lambda: list(open_reader(tmp_path, lang="es").read())]
    opened += [lambda: EmittedDataset(tmp_path)] if name == "arrow" else []
    for open_it in opened:
        with pytest.raises(InputError, match=what) as caught:
            open_it()
        assert str(path) in str(caught.value) and f"remove {tmp_path / SUMS}" in str(caught.value)
    (tmp_path / SUMS).unlink()
    if how == "gone":
        check_data(tmp_path)


def test_a_file_that_was_seen_once_is_read_again_when_it_changes(tmp_path):
    written(tmp_path, "arrow")
    EmittedDataset(tmp_path)
    path = tmp_path / "train" / "state.json"
    path.write_text(path.read_text(encoding="utf-8") + " ", encoding="utf-8")
    os.utime(path, ns=(1, 1))
    with pytest.raises(InputError, match="not as it was written"):
        EmittedDataset(tmp_path)


@pytest.mark.parametrize(
    "text", ["x", f"{'a' * 64}  ../x\n", f"{'a' * 64}  /etc/passwd\n", f"{'g' * 64}  x\n", "\udcff"]
)
def test_a_broken_list_is_an_error(tmp_path, text):
    (tmp_path / SUMS).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match="not a list of checksums"):
        check_data(tmp_path)
