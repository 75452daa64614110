"""Many labels, long texts, and going back."""

from pathlib import Path
from typing import Any

from tests.flows.inspector.inspector_runs import pair, write_run


def _run(out: Path) -> Path:
    many = [
        pair(
            f"r{i}",
            ("A cat and a dog", [("cat", f"slot_{i:02}"), ("dog", "pet")]),
            ("Un gato y un perro", ["gato", "perro"]),
            lang="es",
        )
        for i in range(33)
    ]
    long = " ".join(f"palabra{i}" for i in range(600))
    tall = pair("long", (long, [("palabra400", "answer")]), (long, ["palabra400"]), lang="ar", scores=[0.1])
    return write_run(out, {"es": many, "ar": [tall]})


def test_any_label_by_number_or_name_and_back(serve: Any, tab: Any, tmp_path: Path) -> None:
    site = serve(_run(tmp_path / "run"))
    page = tab(site).open("/rows?corpus=es&sort=score&text=GATO")
    page.open(str(page.page.get_attribute("a.row", "href")))
    assert page.state[2] == 1, "the least certain span comes first"
    assert "all 34 labels" in str(page.page.text_content("#labels"))
    page.press("l")
    page.shot("picker")
    page.page.keyboard.type("T_31")
    page.page.keyboard.press("Enter")
    page.page.wait_for_selector("#spans .state.relabelled")
    assert [d.verdicts[0].label for d in site.log] == ["slot_31"]
    again = tab(site).open("/pair/5")
    again.press("u")
    assert [d.action for d in site.log] == ["label", "undo"] and again.state[0] == page.state[0]


def test_what_was_decided_can_be_gone_back_to(serve: Any, tab: Any, tmp_path: Path) -> None:
    page = tab(serve(_run(tmp_path / "run"))).open("/pair/3?review=open&corpus=es")
    page.press("A", "p")
    assert page.state[0] == 3


def test_actions_stay_in_sight_under_long_texts(serve: Any, tab: Any, tmp_path: Path) -> None:
    def identity(corpus: str, row: Any, field: str) -> Any:
        words = [(i, i + 4) for i in range(0, 600, 5)]
        return (words, words), [[float(a == b) for b in words] for a in words]

    page = tab(serve(_run(tmp_path / "run"), matrix=identity)).open("/rows?corpus=ar&text=palabra400")
    page.page.set_viewport_size({"width": 900, "height": 500})
    page.open(str(page.page.get_attribute("a.row", "href")))
    box = page.page.locator(".actions").bounding_box()
    assert box["y"] + box["height"] <= 501
    page.press("m")
    assert page.page.locator(".matrix th").count() == 80 and "part around the span" in str(
        page.page.text_content("#matrix")
    )
    page.shot("long", 900, 500)
