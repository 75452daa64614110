"""``seq.in``, ``seq.out`` and ``label``: one of the three, or the folder."""

import pytest

from spanferry.corpora.errors import InputError
from spanferry.corpora.readers import BadRow, open_reader

IN = "eva flies to new york\nhallo\n\nbob sings"
OUT = "B-who O O B-city I-city\nO O\nO\nI-who O\n"
LABEL = "flight#city\ngreet\nnone\nsing\n"


def put(folder, front="", **more):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in {"seq.in": IN, "seq.out": OUT, "label": LABEL, **more}.items():
        if content is not None:
            (folder / f"{front}{name}").write_text(content, encoding="utf-8")
    return folder


@pytest.mark.parametrize("front", ["", "atis.test."])
@pytest.mark.parametrize("name", ["seq.in", "seq.out", "label", ""])
def test_any_of_the_files_and_their_folder_are_recognised(tmp_path, name, front):
    put(tmp_path / "x", front)
    reader = open_reader(tmp_path / "x" / f"{front}{name}" if name else tmp_path / "x", lang="en")
    first, uneven, blank, odd = reader.read()
    assert reader.signature.startswith("src:slot_files.en@")
    split = "test" if front else "train"
    assert (first.text, first.label, first.split) == ("eva flies to new york", "flight#city", split)
    assert [(first.quote(s), s.label) for s in first.spans] == [("eva", "who"), ("new york", "city")]
    assert [(row.reason, row.id) for row in (uneven, blank, odd)] == [
        ("bad_tags", "2"),
        ("empty_text", "3"),
        ("bad_tags", "4"),
    ]
    assert "1 words and 2 tags" in uneven.message and "seq.in:2" in uneven.message
    assert "--set read.options.repair=true" in odd.message
    repaired = list(open_reader(tmp_path / "x", lang="en", options={"repair": True}).read())
    assert not isinstance(repaired[3], BadRow) and repaired[3].spans[0].label == "who"


def test_a_folder_for_each_split_and_no_labels(tmp_path):
    for split in ("train", "valid", "test"):
        put(tmp_path / split, label=None)
    rows = list(open_reader(tmp_path, lang="en").read())
    assert [row.split for row in rows if not isinstance(row, BadRow)] == ["test", "train", "validation"]
    assert len({row.id for row in rows}) == 12 and {row.label for row in rows if not isinstance(row, BadRow)} == {None}


def test_files_of_different_length_can_not_be_matched(tmp_path):
    put(tmp_path, label="one\n")
    with pytest.raises(InputError, match="ends before line 2") as caught:
        list(open_reader(tmp_path, lang="en").read())
    assert "label" in str(caught.value) and "wc -l" in str(caught.value)
