import pytest

from spanferry.corpora.errors import InputError
from spanferry.corpora.readers import BadRow, open_reader
from spanferry.corpora.readers.parallel import zip_examples


def reader(tmp_path, name, lines, lang="en", **options):
    path = tmp_path / name
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return open_reader(path, lang=lang, options=options)


def rows(tmp_path, name, *ids):
    return reader(tmp_path, name, [f'{{"id": "{i}", "text": "{name}-{i}"}}' for i in ids])


def shown(pairs):
    return [
        (a.id if isinstance(a, BadRow) else a.text, b and (b.reason if isinstance(b, BadRow) else b.text))
        for a, b in pairs
    ]


def test_moses_files_by_index(tmp_path):
    source = reader(tmp_path, "a.txt", ["One.", "Two."])
    target = reader(tmp_path, "b.txt", ["Uno.", "Dos."], lang="es")
    pairs = list(zip_examples(source, target))
    assert shown(pairs) == [("One.", "Uno."), ("Two.", "Dos.")]
    assert (pairs[0][0].lang, pairs[0][1].lang, pairs[1][1].id) == ("en", "es", "2")


def test_the_columns_of_a_tsv_are_two_readers(tmp_path):
    lines = ["One.\tUno.\tcredit", "Two.\tDos.", "alone"]
    source = reader(tmp_path, "a.txt", lines, column=0)
    target = reader(tmp_path, "a.txt", lines, lang="es", column="1")
    assert shown(zip_examples(source, target)) == [("One.", "Uno."), ("Two.", "Dos."), ("alone", "bad_columns")]
    assert list(target.read())[2].message == f"{tmp_path / 'a.txt'}:3: 1 column(s), column=1 is not among them"


def test_blank_lines_keep_the_sides_in_step(tmp_path):
    source = reader(tmp_path, "a.txt", ["One.", "", "Three."])
    target = reader(tmp_path, "b.txt", ["Uno.", "Dos.", ""])
    assert shown(zip_examples(source, target)) == [("One.", "Uno."), ("2", "Dos."), ("Three.", "empty_text")]


@pytest.mark.parametrize(("n_source", "n_target"), [(3, 2), (1, 4)])
def test_different_counts_by_index(tmp_path, n_source, n_target):
    source = reader(tmp_path, "a.txt", ["x"] * n_source)
    target = reader(tmp_path, "b.txt", ["y"] * n_target)
    with pytest.raises(InputError) as caught:
        list(zip_examples(source, target))
    assert str(caught.value) == (
        f"{tmp_path / 'a.txt'} and {tmp_path / 'b.txt'}: the source has {n_source} rows, the target has {n_target}: "
        "they can't be translations row by row\n"
        "Hint: --set read.pair_by=id (evaluate projection: --pair-by id) pairs rows by their id instead"
    )


def test_by_id_in_any_order(tmp_path):
    pairs = list(zip_examples(rows(tmp_path, "a.jsonl", 1, 2, 3, 4), rows(tmp_path, "b.jsonl", 3, 1, 9, 4), by="id"))
    assert shown(pairs) == [
        ("a.jsonl-1", "b.jsonl-1"),
        ("a.jsonl-2", None),
        ("a.jsonl-3", "b.jsonl-3"),
        ("a.jsonl-4", "b.jsonl-4"),
        ("9", "b.jsonl-9"),
    ]
    left = pairs[-1][0]
    assert (left.reason, left.raw) == ("no_source", "b.jsonl-9")
    assert left.message == f"{tmp_path / 'b.jsonl'}: no source row has the id '9'"


def test_by_id_needs_ids_that_meet_and_are_unique(tmp_path):
    with pytest.raises(InputError, match="no id of the source occurs in the target") as caught:
        list(zip_examples(rows(tmp_path, "a.jsonl", "x"), rows(tmp_path, "b.jsonl", "y"), by="id"))
    assert caught.value.hint == (
        "--set read.pair_by=index (evaluate projection: --pair-by index) pairs rows by their place"
    )
    with pytest.raises(InputError, match="the id '1' occurs twice"):
        list(zip_examples(rows(tmp_path, "a.jsonl", 1, 1), rows(tmp_path, "b.jsonl", 1), by="id"))
    with pytest.raises(InputError, match="the id '2' occurs twice"):
        list(zip_examples(rows(tmp_path, "a.jsonl", 1), rows(tmp_path, "b.jsonl", 1, 2, 2), by="id"))
