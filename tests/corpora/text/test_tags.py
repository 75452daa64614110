import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanferry.corpora.text.tags import SCHEMES, TokenSpan, read_tags, write_tags

GOOD = [
    ("iob2", "B-A I-A O B-B B-B", [(0, 2, "A"), (3, 4, "B"), (4, 5, "B")]),
    ("iob2", "B-a-b I-a-b", [(0, 2, "a-b")]),
    ("iob2", "", []),
    ("iob1", "I-A I-A O I-B B-B I-C", [(0, 2, "A"), (3, 4, "B"), (4, 5, "B"), (5, 6, "C")]),
    ("bioes", "B-A I-A E-A S-B O S-B B-C E-C", [(0, 3, "A"), (3, 4, "B"), (5, 6, "B"), (6, 8, "C")]),
    ("bioes", "B-A I-A L-A U-B", [(0, 3, "A"), (3, 4, "B")]),
]


@pytest.mark.parametrize(("scheme", "tags", "spans"), GOOD)
def test_reading(scheme, tags, spans):
    assert read_tags(tags.split(), scheme) == (spans, None)


BAD = [
    ("iob2", "O I-A", 1, "tag 'I-A' follows 'O', which scheme iob2 does not allow", [(1, 2, "A")]),
    ("iob2", "I-A", 0, "tag 'I-A' follows the start of the sentence, which scheme iob2 does not allow", [(0, 1, "A")]),
    ("iob2", "B-A I-B I-B", 1, "tag 'I-B' follows 'B-A', which scheme iob2 does not allow", [(0, 1, "A"), (1, 3, "B")]),
    ("bioes", "B-A O", 1, "tag 'O' follows 'B-A', which scheme bioes does not allow", [(0, 1, "A")]),
    ("bioes", "B-A S-B", 1, "tag 'S-B' follows 'B-A', which scheme bioes does not allow", [(0, 1, "A"), (1, 2, "B")]),
    (
        "bioes",
        "I-A E-A",
        0,
        "tag 'I-A' follows the start of the sentence, which scheme bioes does not allow",
        [(0, 2, "A")],
    ),
    ("bioes", "E-A E-A", 0, None, [(0, 1, "A"), (1, 2, "A")]),
    ("bioes", "O B-A I-A", 2, "'I-A' is not ended by an E- tag at the end of the sentence", [(1, 3, "A")]),
]


@pytest.mark.parametrize(("scheme", "tags", "at", "message", "repaired"), BAD)
def test_a_tag_out_of_place_is_named_or_repaired(scheme, tags, at, message, repaired):
    _, problem = read_tags(tags.split(), scheme)
    assert problem.at == at
    assert message is None or problem.message == message
    assert problem.hint.startswith("--set read.options.repair=true")
    assert read_tags(tags.split(), scheme, repair=True) == (repaired, None)


@pytest.mark.parametrize(
    ("scheme", "tag", "hint"),
    [
        ("iob2", "S-A", "--set read.options.scheme=bioes"),
        ("iob1", "E-A", "--set read.options.scheme=bioes"),
        (
            "iob2",
            "PER",
            "--set read.options.scheme=io reads labels without a letter in front; "
            "--set read.options.tag_column=N picks another column, from 0",
        ),
        ("iob2", "B-", "--set read.options.tag_column=N picks the column of the tags, from 0"),
        ("bioes", "X-A", "--set read.options.tag_column=N picks the column of the tags, from 0"),
        ("iob2", "-A", "--set read.options.tag_column=N picks the column of the tags, from 0"),
        ("bioes", "-A", "--set read.options.tag_column=N picks the column of the tags, from 0"),
    ],
)
@pytest.mark.parametrize("repair", [False, True])
def test_what_is_no_tag_is_not_repaired(scheme, tag, hint, repair):
    _, problem = read_tags(["O", tag], scheme, repair=repair)
    assert problem.at == 1
    assert problem.message.startswith(f"{tag!r} is not a tag of the scheme {scheme} (O, B-<label>, I-<label>")
    assert problem.hint == hint


@st.composite
def spans(draw):
    found, at = [], 0
    for _ in range(draw(st.integers(0, 6))):
        start = at + draw(st.integers(0, 2))
        at = start + draw(st.integers(1, 3))
        found.append(TokenSpan(start, at, draw(st.sampled_from(["A", "B", "x-y", "I-B"]))))
    return at + draw(st.integers(0, 2)), found


@settings(deadline=None)
@given(spans(), st.sampled_from(SCHEMES))
def test_written_tags_read_back(case, scheme):
    count, found = case
    tags = write_tags(count, found, scheme)
    assert len(tags) == count
    assert read_tags(tags, scheme) == (found, None)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["O", "B-A", "I-A", "E-A", "S-A", "B-B", "I-B", "E-B", "L-B", "U-A"]), max_size=8))
def test_repair_covers_every_tagged_token_exactly_once(tags):
    found, problem = read_tags(tags, "bioes", repair=True)
    assert problem is None
    assert [i for a, b, _ in found for i in range(a, b)] == [i for i, tag in enumerate(tags) if tag != "O"]
    assert all(tag.endswith(label) for a, b, label in found for tag in tags[a:b])
