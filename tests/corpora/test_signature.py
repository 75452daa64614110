"""The one value that says what an output depends on."""

import ast
import copy
import json
import pickle
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanferry.corpora.signature import NOTHING, Signature, neutral_options, number_text, settings, value_text
from spanferry.flows.store import digest
from tests.conftest import ROOT


def test_a_chain_is_its_text_and_its_entries() -> None:
    made = Signature.of("mt:en-es@5f1|ct2:int8", ("beam", 4))
    assert made == "mt:en-es@5f1|ct2:int8|beam:4"
    assert made.entries == (("mt", "en-es@5f1"), ("ct2", "int8"), ("beam", "4"))
    assert made.value("beam") == "4" and made.value("proj") is None
    assert Signature.of(NOTHING, made, "") == made and NOTHING.entries == ()
    assert Signature.of(*made.entries) == made


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        # As earlier versions stored them: entries without a key, and signatures inside of others.
        ("align(lexical.13.ab|prior:none).minmax.bounds.3", [("", "align(lexical.13.ab|prior:none).minmax.bounds.3")]),
        ("src:conll.en[tag_columns=1+2]@ab|lang:en", [("src", "conll.en[tag_columns=1+2]@ab"), ("lang", "en")]),
        ("proj:default(a|b:c+d(e|f))|seed:0", [("proj", "default(a|b:c+d(e|f))"), ("seed", "0")]),
        ("target:src:jsonl.es@ab|by:id", [("target", "src:jsonl.es@ab"), ("by", "id")]),
        ("a)|b", [("", "a)"), ("", "b")]),
    ],
)
def test_stored_texts_are_read_back(text: str, entries: list[tuple[str, str]]) -> None:
    assert list(Signature(text).entries) == entries
    assert Signature.of(*Signature(text).entries) == text


def test_it_goes_wherever_a_text_goes() -> None:
    made = Signature.of(("src", "x"), ("seed", 0))
    for again in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made)):
        assert again == made and isinstance(again, Signature) and hash(again) == hash(made)
    assert json.loads(json.dumps([made])) == [made] and pa.array([made]).to_pylist() == [made]
    assert made.digest() == digest(made) and len(made.digest(8)) == 8


VALUES = st.recursive(
    st.text("ab,=+|()[]{}%\n1", max_size=4) | st.integers(0, 99),
    lambda of: st.lists(of, max_size=3).map(tuple) | st.dictionaries(st.text("ab=,", max_size=2), of, max_size=2),
    max_leaves=6,
)


def _plain(value: Any) -> Any:
    """What a value is to an option: numbers and their texts are distinguished by the option's type."""
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    return {key: _plain(of) for key, of in value.items()} if isinstance(value, dict) else str(value)


@given(st.dictionaries(st.sampled_from("abc"), VALUES), st.dictionaries(st.sampled_from("abc"), VALUES))
def test_different_options_have_different_texts(one: dict[str, Any], other: dict[str, Any]) -> None:
    one, other = dict(sorted(one.items())), dict(sorted(other.items()))
    if {k: type(v) for k, v in one.items()} == {k: type(v) for k, v in other.items()}:
        assert (settings(one) == settings(other)) == (_plain(one) == _plain(other))
    assert len(Signature.of(("src", f"x{settings(one)}"), ("seed", 0)).entries) == 2


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, ""),
        ({"tags": ("B", "I"), "repair": True, "label": "a,b"}, "[tags=B+I,repair=true,label=a%2Cb]"),
        ({"directions": (("en", "es"), ("en", "de"))}, "[directions=(en+es)+(en+de)]"),
        ({"none": (), "one": ("",), "two": ("", "")}, "[none=,one=%,two=%+%]"),
        ({"files": {"es": "a|b.tsv"}, "none": None}, "[files={es=a%7Cb.tsv},none=none]"),
    ],
)
def test_options_as_a_value(options: dict[str, Any], text: str) -> None:
    assert settings(options) == text
    assert settings({**options, "workers": 3}, {"workers"}) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_distinguished(value: float) -> None:
    assert float(number_text(value)) == value


def test_a_component_declares_what_changes_nothing() -> None:
    class Plain:
        pass

    class Declares:
        neutral_options = frozenset({"workers"})

    assert neutral_options(Plain) == frozenset() and neutral_options(Declares()) == {"workers"}
    assert value_text(False) == "false"


def test_every_signature_of_ours_is_this_one() -> None:
    """What is called so returns a ``Signature``; only the protocols, which classes from outside follow, say ``str``."""
    found = 0
    for path in (p for room in ("corpora", "translators", "projectors", "flows") for p in (ROOT / room).rglob("*.py")):
        for cls in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            bases = [ast.unparse(base) for base in cls.bases] if isinstance(cls, ast.ClassDef) else []
            for node in ast.iter_child_nodes(cls):
                if isinstance(node, ast.FunctionDef) and node.name.endswith("signature") and "Protocol" not in bases:
                    where = f"{path.relative_to(ROOT)}:{node.lineno}"
                    assert node.returns is not None and ast.unparse(node.returns) == "Signature", where
                    found += 1
    assert found > 30
