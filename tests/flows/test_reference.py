"""The reference tables of the pages are what the components declare, and every kind with options has its table."""

import re
from pathlib import Path

import pytest

from spanferry.flows.components import FLOWS, KINDS
from spanferry.flows.configs import CONFIGS
from spanferry.flows.reference import components, table, with_tables
from tests.write_reference import ROOT, pages


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_tables_are_those_of_the_components(page: Path) -> None:
    text = page.read_text()
    assert text == with_tables(text), "make docs"


def test_every_kind_with_options_has_one_table() -> None:
    found = [kind for page in pages() for kind in re.findall(r"<!-- options:([a-z-]+) -->", page.read_text())]
    assert sorted(found) == sorted(kind for kind in KINDS if any(one.options for one in components(kind)))


def test_a_table_has_every_option_with_its_default() -> None:
    lines = table("filters").splitlines()
    assert "| `confidence` | `min_score` | float, >= 0 and <= 1 | `0.5` | Least projection score, in [0, 1]. |" in lines
    assert lines[-1] == "Without options: `span_shape`, `glossary`."
    rows = "\n".join(lines)
    for one in components("filters"):
        for option in one.options:
            assert re.search(rf"`{one.name}`[^\n]*\| `{option.name}` \|", rows), (one.name, option.name)


def test_components_that_declare_the_same_option_share_a_row() -> None:
    assert "| `arrow`, `parquet`, `translation` | `shard_rows` |" in table("writers")
    assert "| all | `executor.workers` | int, >= 1 | `2` |" in table("flows")


def test_a_page_is_rewritten_between_its_marks_alone() -> None:
    page = "before\n<!-- options:samplers -->\nold | rows\n<!-- end -->\nafter\n"
    assert with_tables(page) == f"before\n<!-- options:samplers -->\n{table('samplers')}<!-- end -->\nafter\n"
    assert with_tables(with_tables(page)) == with_tables(page)


def test_bars_and_tags_survive_in_cells() -> None:
    assert r"The least p(target \| source) of an entry." in table("derivations")
    assert "<TAB>" not in re.sub("`[^`]*`", "", table("counterparts"))


def test_every_flow_has_a_configuration_whose_keys_are_explained() -> None:
    assert set(CONFIGS) == set(FLOWS)
    for flow in components("flows"):
        names = [option.name for option in flow.options]
        assert "executor.workers" in names and "flow" not in names and len(set(names)) == len(names)
        assert [option.name for option in flow.options if not option.meaning] == []
